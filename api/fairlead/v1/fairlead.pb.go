// The wire between Fairlead's parts, version 1.
//
// # The flow
//
//   proxy      -> controller   ProxyMessage{hello}       who I am, what I speak
//   controller -> proxy        {welcome, table, leads}   the version to speak; listeners, routes, pools; which of them I lead
//   proxy      -> controller   {pool_hellos}             what I hold of the pools that you lead
//   proxy      -> controller   {asks, withdrawals, dones, uses, status, pools}   in any mix, as they come
//   controller -> proxy        {table, leads, grants, refusals, revokes, reclaims, backends}   likewise
//
//   agent      -> controller   AgentMessage{hello}       the backend that I stand beside
//   controller -> agent        BackendMessage{welcome, keys}   joined
//   agent      -> controller   {report, drain, answers, arrivals, dones}   in any mix, as they come
//   controller -> agent        {state, keys, assignments, revokes}         likewise
//
//   client     -> controller   Locator.Choose            which proxy?
//
// The first message of either stream is a hello, and nothing but a hello. Later
// messages gather whatever arose while the last one was being sent: a sender never
// waits to fill a message, and a receiver handles the fields in the order in which
// they are listed in the message.
//
// # Liveness
//
// A proxy sends a status, an agent a report, at least each second; the controller
// answers each with a message, an empty one where there is nothing to say. A proxy's
// status may have a number, which its answer names, so that the way there and back can be
// measured although other messages cross. Who has
// heard nothing for three seconds ends the stream and counts the session as lost.
//
// # Each ask ends once
//
// An ask is answered by exactly one grant or one refusal, unless the proxy withdraws it
// or its session ends. A withdrawal may cross with a grant: the proxy then gives the
// grant back with Done{outcome: OUTCOME_UNUSED}.
//
// # Each grant ends once
//
// By the proxy's Done; else by the end of the proxy's session and its grace; else by
// the loss of its backend or by its time limit: the proxy is then sent a revoke, cuts
// the link and still says Done, and a proxy that does not is not waited for longer than
// the grace.
//
// # Kept slots
//
// While slots are plentiful a grant has keep_ms: when its request is over, the proxy may keep
// the slot (Done{kept}), use it for another request without asking (Use), and so on, until it
// has been unused for that long, or the controller reclaims it. It then says Done without kept.
// A kept slot counts as taken. A proxy whose messages the controller does not answer may keep
// what it holds for as long as its lease, half a second less than the grace.
//
// # Without a controller
//
// PoolBackends tell each proxy its share of the slots of each backend. A proxy whose lease is
// over uses no more than that; the grants that it gives itself have epoch 0, and its next pool
// hello lists them.
//
// # Several controllers
//
// A proxy has a session with each controller. Each pool is led by one of them at a time, which
// says so (leads) with an epoch that is higher than of any term of that pool before. The proxy
// answers with a PoolHello that lists what it holds of the pool, whoever gave it, and from then
// on speaks of the pool to that controller alone; a lead with a lower epoch is past. Who begins
// to lead learns first: it grants nothing until every proxy that may hold slots has said its
// pool hello, or the grace is over, which is longer than the proxies' leases. A proxy may rely
// on its lease for as long as the answers to messages that it sent after its pool hello reach
// back.
//
// # Assignments
//
// In a pool that assigns, the backend that an ask is about to be granted is told first.
// notify: the assignment has been written to the agent's connection before the grant is
// sent to the proxy. confirm: the agent answers, and only yes makes a grant; at no, or no
// answer in time, the ask goes to another backend, and the assignment is revoked. An
// assignment whose request will not come is revoked too.
//
// # Direct links
//
// In a pool whose link is direct, a grant is the backend's from the start: the proxy sends
// its client on with the grant's ticket and owes no Done (but Done{OUTCOME_UNUSED} if the
// client was gone). The agent says Arrival when the ticket is used and Done when it is
// over. A ticket that nobody uses in its time frees its slot. An agent's hello lists the
// direct grants that still run.
//
// # Who decides
//
// Of a pool whose entry says decides, the controller tells each proxy the backends that take
// requests, and whether the proxy decides: PoolBackends, when it has said its pool hello, or later, and
// on each change. A proxy that decides chooses a backend itself, says nothing of the request but
// what PoolSeen sums up each second, and goes on with the last backends that it was told when
// its session ends. It asks as ever until a controller told it to decide, and asks that wait
// when it is told are answered. A controller that has just started, and may not know every
// backend, says nothing yet, and answers whoever asks.
//
// # Tickets
//
// A ticket is a JWT (RFC 7519), signed with EdDSA over Ed25519 (RFC 8037), that names the
// grant: iss "fairlead", aud the pool's name, sub the backend's address, jti the grant
// ("epoch.number"), epoch, iat, exp. The header's kid names one of the keys.
//
// # Who may speak
//
// Over TLS the two ends present certificates of one CA, each with one URI SAN:
// spiffe://fairlead/ROLE/NAME with ROLE controller, proxy, agent, operator or client. A
// proxy's NAME is the name in its hello; an agent's is POOL/ADDRESS, or POOL/* for every
// backend of a pool. Tools takes operators, Locator anyone with a certificate.
// PERMISSION_DENIED: the certificate is of another role or name.
//
// # Versions
//
// A hello names the oldest and the newest version that its sender speaks; welcome names
// the one chosen. With none in common the stream ends with FAILED_PRECONDITION, and the
// status says what both sides speak. Fields may be added within a version; a change
// that an old peer would misread makes a new one.
//
//   1  2026-11  first
//
// # Limits and statuses
//
// A message is at most 4 MiB, an agent's 64 KiB; a larger one ends its stream with RESOURCE_EXHAUSTED. A
// proxy has at most as many asks outstanding as its welcome says. INVALID_ARGUMENT: the
// message breaks a rule written here. ALREADY_EXISTS: another live peer has that name.
// NOT_FOUND: no such pool or backend. FAILED_PRECONDITION: no version in common, or a
// backend that its pool does not take. DEADLINE_EXCEEDED: nothing was heard for too long.
// ABORTED: the same peer has opened another session. UNAVAILABLE: the controller stops.
// Whatever ends one stream touches no other.

// Code generated by protoc-gen-go. DO NOT EDIT.
// versions:
// 	protoc-gen-go v1.36.12-devel
// 	protoc        (unknown)
// source: fairlead/v1/fairlead.proto

package fairleadv1

import (
	protoreflect "google.golang.org/protobuf/reflect/protoreflect"
	protoimpl "google.golang.org/protobuf/runtime/protoimpl"
	reflect "reflect"
	sync "sync"
	unsafe "unsafe"
)

const (
	// Verify that this generated code is sufficiently up-to-date.
	_ = protoimpl.EnforceVersion(20 - protoimpl.MinVersion)
	// Verify that runtime/protoimpl is sufficiently up-to-date.
	_ = protoimpl.EnforceVersion(protoimpl.MaxVersion - 20)
)

// Class is a request's priority.
type Class int32

const (
	Class_CLASS_UNSPECIFIED Class = 0 // as normal
	Class_CLASS_CRITICAL    Class = 1
	Class_CLASS_NORMAL      Class = 2
	Class_CLASS_SHEDDABLE   Class = 3
)

// Enum value maps for Class.
var (
	Class_name = map[int32]string{
		0: "CLASS_UNSPECIFIED",
		1: "CLASS_CRITICAL",
		2: "CLASS_NORMAL",
		3: "CLASS_SHEDDABLE",
	}
	Class_value = map[string]int32{
		"CLASS_UNSPECIFIED": 0,
		"CLASS_CRITICAL":    1,
		"CLASS_NORMAL":      2,
		"CLASS_SHEDDABLE":   3,
	}
)

func (x Class) Enum() *Class {
	p := new(Class)
	*p = x
	return p
}

func (x Class) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (Class) Descriptor() protoreflect.EnumDescriptor {
	return file_fairlead_v1_fairlead_proto_enumTypes[0].Descriptor()
}

func (Class) Type() protoreflect.EnumType {
	return &file_fairlead_v1_fairlead_proto_enumTypes[0]
}

func (x Class) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use Class.Descriptor instead.
func (Class) EnumDescriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{0}
}

type Outcome int32

const (
	Outcome_OUTCOME_UNSPECIFIED Outcome = 0
	Outcome_OUTCOME_OK          Outcome = 1
	Outcome_OUTCOME_FAILED      Outcome = 2 // the backend broke off, or answered with a 5xx of its own overload
	Outcome_OUTCOME_UNREACHABLE Outcome = 3 // no connection was established
	Outcome_OUTCOME_CANCELLED   Outcome = 4 // the client went away
	Outcome_OUTCOME_UNUSED      Outcome = 5 // given back: never linked
	Outcome_OUTCOME_REVOKED     Outcome = 6 // cut because the controller said so
)

// Enum value maps for Outcome.
var (
	Outcome_name = map[int32]string{
		0: "OUTCOME_UNSPECIFIED",
		1: "OUTCOME_OK",
		2: "OUTCOME_FAILED",
		3: "OUTCOME_UNREACHABLE",
		4: "OUTCOME_CANCELLED",
		5: "OUTCOME_UNUSED",
		6: "OUTCOME_REVOKED",
	}
	Outcome_value = map[string]int32{
		"OUTCOME_UNSPECIFIED": 0,
		"OUTCOME_OK":          1,
		"OUTCOME_FAILED":      2,
		"OUTCOME_UNREACHABLE": 3,
		"OUTCOME_CANCELLED":   4,
		"OUTCOME_UNUSED":      5,
		"OUTCOME_REVOKED":     6,
	}
)

func (x Outcome) Enum() *Outcome {
	p := new(Outcome)
	*p = x
	return p
}

func (x Outcome) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (Outcome) Descriptor() protoreflect.EnumDescriptor {
	return file_fairlead_v1_fairlead_proto_enumTypes[1].Descriptor()
}

func (Outcome) Type() protoreflect.EnumType {
	return &file_fairlead_v1_fairlead_proto_enumTypes[1]
}

func (x Outcome) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use Outcome.Descriptor instead.
func (Outcome) EnumDescriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{1}
}

type Protocol int32

const (
	Protocol_PROTOCOL_UNSPECIFIED Protocol = 0
	Protocol_PROTOCOL_HTTP        Protocol = 1
	Protocol_PROTOCOL_TCP         Protocol = 2
)

// Enum value maps for Protocol.
var (
	Protocol_name = map[int32]string{
		0: "PROTOCOL_UNSPECIFIED",
		1: "PROTOCOL_HTTP",
		2: "PROTOCOL_TCP",
	}
	Protocol_value = map[string]int32{
		"PROTOCOL_UNSPECIFIED": 0,
		"PROTOCOL_HTTP":        1,
		"PROTOCOL_TCP":         2,
	}
)

func (x Protocol) Enum() *Protocol {
	p := new(Protocol)
	*p = x
	return p
}

func (x Protocol) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (Protocol) Descriptor() protoreflect.EnumDescriptor {
	return file_fairlead_v1_fairlead_proto_enumTypes[2].Descriptor()
}

func (Protocol) Type() protoreflect.EnumType {
	return &file_fairlead_v1_fairlead_proto_enumTypes[2]
}

func (x Protocol) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use Protocol.Descriptor instead.
func (Protocol) EnumDescriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{2}
}

// Link is how a client and its backend are joined.
type Link int32

const (
	Link_LINK_UNSPECIFIED Link = 0 // as proxied
	Link_LINK_PROXIED     Link = 1 // through the proxy
	Link_LINK_DIRECT      Link = 2 // the client is sent on to the backend
)

// Enum value maps for Link.
var (
	Link_name = map[int32]string{
		0: "LINK_UNSPECIFIED",
		1: "LINK_PROXIED",
		2: "LINK_DIRECT",
	}
	Link_value = map[string]int32{
		"LINK_UNSPECIFIED": 0,
		"LINK_PROXIED":     1,
		"LINK_DIRECT":      2,
	}
)

func (x Link) Enum() *Link {
	p := new(Link)
	*p = x
	return p
}

func (x Link) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (Link) Descriptor() protoreflect.EnumDescriptor {
	return file_fairlead_v1_fairlead_proto_enumTypes[3].Descriptor()
}

func (Link) Type() protoreflect.EnumType {
	return &file_fairlead_v1_fairlead_proto_enumTypes[3]
}

func (x Link) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use Link.Descriptor instead.
func (Link) EnumDescriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{3}
}

// Reason is why an ask was refused or a grant ended.
type Reason int32

const (
	Reason_REASON_UNSPECIFIED   Reason = 0
	Reason_REASON_NO_BACKEND    Reason = 1 // the pool has none that is up and not draining
	Reason_REASON_ALL_EXCLUDED  Reason = 2 // each one that could serve was tried
	Reason_REASON_QUEUE_FULL    Reason = 3 // shed: the queue's limit
	Reason_REASON_QUEUE_TIMEOUT Reason = 4 // shed: waited as long as the pool allows
	Reason_REASON_UNKNOWN_POOL  Reason = 5 // a number that is not in the table
	Reason_REASON_OVER_LIMIT    Reason = 6 // more asks outstanding than welcome allows
	Reason_REASON_BACKEND_LOST  Reason = 7
	Reason_REASON_TIME_LIMIT    Reason = 8
	Reason_REASON_NOT_COMING    Reason = 9  // of an assignment: its request will not come
	Reason_REASON_TOO_LATE      Reason = 10 // it cannot be finished by its deadline
	Reason_REASON_RETRY_BUDGET  Reason = 11 // too many requests of the pool are tried again
	Reason_REASON_NO_MATCH      Reason = 12 // no backend has the labels that it requires
)

// Enum value maps for Reason.
var (
	Reason_name = map[int32]string{
		0:  "REASON_UNSPECIFIED",
		1:  "REASON_NO_BACKEND",
		2:  "REASON_ALL_EXCLUDED",
		3:  "REASON_QUEUE_FULL",
		4:  "REASON_QUEUE_TIMEOUT",
		5:  "REASON_UNKNOWN_POOL",
		6:  "REASON_OVER_LIMIT",
		7:  "REASON_BACKEND_LOST",
		8:  "REASON_TIME_LIMIT",
		9:  "REASON_NOT_COMING",
		10: "REASON_TOO_LATE",
		11: "REASON_RETRY_BUDGET",
		12: "REASON_NO_MATCH",
	}
	Reason_value = map[string]int32{
		"REASON_UNSPECIFIED":   0,
		"REASON_NO_BACKEND":    1,
		"REASON_ALL_EXCLUDED":  2,
		"REASON_QUEUE_FULL":    3,
		"REASON_QUEUE_TIMEOUT": 4,
		"REASON_UNKNOWN_POOL":  5,
		"REASON_OVER_LIMIT":    6,
		"REASON_BACKEND_LOST":  7,
		"REASON_TIME_LIMIT":    8,
		"REASON_NOT_COMING":    9,
		"REASON_TOO_LATE":      10,
		"REASON_RETRY_BUDGET":  11,
		"REASON_NO_MATCH":      12,
	}
)

func (x Reason) Enum() *Reason {
	p := new(Reason)
	*p = x
	return p
}

func (x Reason) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (Reason) Descriptor() protoreflect.EnumDescriptor {
	return file_fairlead_v1_fairlead_proto_enumTypes[4].Descriptor()
}

func (Reason) Type() protoreflect.EnumType {
	return &file_fairlead_v1_fairlead_proto_enumTypes[4]
}

func (x Reason) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use Reason.Descriptor instead.
func (Reason) EnumDescriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{4}
}

// Rejection is why a backend does not take an assignment.
type Rejection int32

const (
	Rejection_REJECTION_UNSPECIFIED Rejection = 0
	Rejection_REJECTION_FULL        Rejection = 1
	Rejection_REJECTION_DRAINING    Rejection = 2
	Rejection_REJECTION_WRONG_EPOCH Rejection = 3 // of an earlier controller than the one that it knows
	Rejection_REJECTION_OTHER       Rejection = 4
)

// Enum value maps for Rejection.
var (
	Rejection_name = map[int32]string{
		0: "REJECTION_UNSPECIFIED",
		1: "REJECTION_FULL",
		2: "REJECTION_DRAINING",
		3: "REJECTION_WRONG_EPOCH",
		4: "REJECTION_OTHER",
	}
	Rejection_value = map[string]int32{
		"REJECTION_UNSPECIFIED": 0,
		"REJECTION_FULL":        1,
		"REJECTION_DRAINING":    2,
		"REJECTION_WRONG_EPOCH": 3,
		"REJECTION_OTHER":       4,
	}
)

func (x Rejection) Enum() *Rejection {
	p := new(Rejection)
	*p = x
	return p
}

func (x Rejection) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (Rejection) Descriptor() protoreflect.EnumDescriptor {
	return file_fairlead_v1_fairlead_proto_enumTypes[5].Descriptor()
}

func (Rejection) Type() protoreflect.EnumType {
	return &file_fairlead_v1_fairlead_proto_enumTypes[5]
}

func (x Rejection) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use Rejection.Descriptor instead.
func (Rejection) EnumDescriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{5}
}

type Source_Kind int32

const (
	Source_KIND_UNSPECIFIED Source_Kind = 0 // nowhere
	Source_KIND_CLIENT      Source_Kind = 1 // the client's address
	Source_KIND_HEADER      Source_Kind = 2
	Source_KIND_COOKIE      Source_Kind = 3
	Source_KIND_CLAIM       Source_Kind = 4 // of the JWT in Authorization: Bearer, whose signature is not checked
	Source_KIND_TLS_NAME    Source_Kind = 5
)

// Enum value maps for Source_Kind.
var (
	Source_Kind_name = map[int32]string{
		0: "KIND_UNSPECIFIED",
		1: "KIND_CLIENT",
		2: "KIND_HEADER",
		3: "KIND_COOKIE",
		4: "KIND_CLAIM",
		5: "KIND_TLS_NAME",
	}
	Source_Kind_value = map[string]int32{
		"KIND_UNSPECIFIED": 0,
		"KIND_CLIENT":      1,
		"KIND_HEADER":      2,
		"KIND_COOKIE":      3,
		"KIND_CLAIM":       4,
		"KIND_TLS_NAME":    5,
	}
)

func (x Source_Kind) Enum() *Source_Kind {
	p := new(Source_Kind)
	*p = x
	return p
}

func (x Source_Kind) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (Source_Kind) Descriptor() protoreflect.EnumDescriptor {
	return file_fairlead_v1_fairlead_proto_enumTypes[6].Descriptor()
}

func (Source_Kind) Type() protoreflect.EnumType {
	return &file_fairlead_v1_fairlead_proto_enumTypes[6]
}

func (x Source_Kind) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use Source_Kind.Descriptor instead.
func (Source_Kind) EnumDescriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{32, 0}
}

// ProxyMessage is what a proxy sends.
type ProxyMessage struct {
	state       protoimpl.MessageState `protogen:"open.v1"`
	Hello       *ProxyHello            `protobuf:"bytes,1,opt,name=hello,proto3" json:"hello,omitempty"` // in the first message only, alone
	Dones       []*Done                `protobuf:"bytes,2,rep,name=dones,proto3" json:"dones,omitempty"`
	Asks        []*Ask                 `protobuf:"bytes,3,rep,name=asks,proto3" json:"asks,omitempty"`
	Withdrawals []*Withdrawal          `protobuf:"bytes,4,rep,name=withdrawals,proto3" json:"withdrawals,omitempty"` // of asks in this message too
	Status      *ProxyStatus           `protobuf:"bytes,5,opt,name=status,proto3" json:"status,omitempty"`           // each second
	Pools       []*PoolSeen            `protobuf:"bytes,6,rep,name=pools,proto3" json:"pools,omitempty"`             // each second, of pools for which proxies may decide
	Uses        []*Use                 `protobuf:"bytes,7,rep,name=uses,proto3" json:"uses,omitempty"`               // before the asks of this message, and among its dones as each says
	// number rises with each message that has one; the controller's next message that names it,
	// or a later one, says that this one was decided on. 0: nobody waits to know.
	Number        uint64       `protobuf:"varint,8,opt,name=number,proto3" json:"number,omitempty"`
	PoolHellos    []*PoolHello `protobuf:"bytes,9,rep,name=pool_hellos,json=poolHellos,proto3" json:"pool_hellos,omitempty"` // before all else in this message
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ProxyMessage) Reset() {
	*x = ProxyMessage{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[0]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ProxyMessage) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ProxyMessage) ProtoMessage() {}

func (x *ProxyMessage) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[0]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ProxyMessage.ProtoReflect.Descriptor instead.
func (*ProxyMessage) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{0}
}

func (x *ProxyMessage) GetHello() *ProxyHello {
	if x != nil {
		return x.Hello
	}
	return nil
}

func (x *ProxyMessage) GetDones() []*Done {
	if x != nil {
		return x.Dones
	}
	return nil
}

func (x *ProxyMessage) GetAsks() []*Ask {
	if x != nil {
		return x.Asks
	}
	return nil
}

func (x *ProxyMessage) GetWithdrawals() []*Withdrawal {
	if x != nil {
		return x.Withdrawals
	}
	return nil
}

func (x *ProxyMessage) GetStatus() *ProxyStatus {
	if x != nil {
		return x.Status
	}
	return nil
}

func (x *ProxyMessage) GetPools() []*PoolSeen {
	if x != nil {
		return x.Pools
	}
	return nil
}

func (x *ProxyMessage) GetUses() []*Use {
	if x != nil {
		return x.Uses
	}
	return nil
}

func (x *ProxyMessage) GetNumber() uint64 {
	if x != nil {
		return x.Number
	}
	return 0
}

func (x *ProxyMessage) GetPoolHellos() []*PoolHello {
	if x != nil {
		return x.PoolHellos
	}
	return nil
}

// PoolHello answers a lead: it lists what of the pool's slots the proxy has. Until it has come
// the controller takes nothing that the proxy says of the pool. It may come in parts.
type PoolHello struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Pool          uint32                 `protobuf:"varint,1,opt,name=pool,proto3" json:"pool,omitempty"`   // a number from the table
	Epoch         uint64                 `protobuf:"varint,2,opt,name=epoch,proto3" json:"epoch,omitempty"` // of the lead that it answers
	Live          []*LiveGrant           `protobuf:"bytes,3,rep,name=live,proto3" json:"live,omitempty"`
	More          bool                   `protobuf:"varint,4,opt,name=more,proto3" json:"more,omitempty"` // another part follows
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *PoolHello) Reset() {
	*x = PoolHello{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[1]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *PoolHello) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*PoolHello) ProtoMessage() {}

func (x *PoolHello) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[1]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use PoolHello.ProtoReflect.Descriptor instead.
func (*PoolHello) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{1}
}

func (x *PoolHello) GetPool() uint32 {
	if x != nil {
		return x.Pool
	}
	return 0
}

func (x *PoolHello) GetEpoch() uint64 {
	if x != nil {
		return x.Epoch
	}
	return 0
}

func (x *PoolHello) GetLive() []*LiveGrant {
	if x != nil {
		return x.Live
	}
	return nil
}

func (x *PoolHello) GetMore() bool {
	if x != nil {
		return x.More
	}
	return false
}

// Use says that a request begins on a slot that the proxy has kept.
type Use struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Grant         *GrantID               `protobuf:"bytes,1,opt,name=grant,proto3" json:"grant,omitempty"`
	Pool          uint32                 `protobuf:"varint,2,opt,name=pool,proto3" json:"pool,omitempty"`
	About         *About                 `protobuf:"bytes,3,opt,name=about,proto3" json:"about,omitempty"`  // where the pool's entry wants it
	After         uint32                 `protobuf:"varint,4,opt,name=after,proto3" json:"after,omitempty"` // how many dones of this message come before it
	Uses          uint32                 `protobuf:"varint,5,opt,name=uses,proto3" json:"uses,omitempty"`   // how often the slot was used again, this time included
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Use) Reset() {
	*x = Use{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[2]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Use) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Use) ProtoMessage() {}

func (x *Use) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[2]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Use.ProtoReflect.Descriptor instead.
func (*Use) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{2}
}

func (x *Use) GetGrant() *GrantID {
	if x != nil {
		return x.Grant
	}
	return nil
}

func (x *Use) GetPool() uint32 {
	if x != nil {
		return x.Pool
	}
	return 0
}

func (x *Use) GetAbout() *About {
	if x != nil {
		return x.About
	}
	return nil
}

func (x *Use) GetAfter() uint32 {
	if x != nil {
		return x.After
	}
	return 0
}

func (x *Use) GetUses() uint32 {
	if x != nil {
		return x.Uses
	}
	return 0
}

// PoolSeen is what one proxy did and saw in a pool for which it decides itself.
type PoolSeen struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Pool          uint32                 `protobuf:"varint,1,opt,name=pool,proto3" json:"pool,omitempty"`                                    // a number from the table
	Decided       uint64                 `protobuf:"varint,2,opt,name=decided,proto3" json:"decided,omitempty"`                              // requests that it gave a backend, since last told
	InFlight      uint32                 `protobuf:"varint,3,opt,name=in_flight,json=inFlight,proto3" json:"in_flight,omitempty"`            // of these, as in seen
	Seen          []*BackendSeen         `protobuf:"bytes,4,rep,name=seen,proto3" json:"seen,omitempty"`                                     // of backends of which there is something new
	Served        uint64                 `protobuf:"varint,5,opt,name=served,proto3" json:"served,omitempty"`                                // of these requests, ended well with a latency since last told
	ServiceUs     uint64                 `protobuf:"varint,6,opt,name=service_us,json=serviceUs,proto3" json:"service_us,omitempty"`         // their latencies, summed
	RoundTripUs   uint64                 `protobuf:"varint,7,opt,name=round_trip_us,json=roundTripUs,proto3" json:"round_trip_us,omitempty"` // a message to the controller and back; 0: not known
	Refused       uint64                 `protobuf:"varint,8,opt,name=refused,proto3" json:"refused,omitempty"`                              // requests that no backend could be found for, since last told
	Deciding      bool                   `protobuf:"varint,9,opt,name=deciding,proto3" json:"deciding,omitempty"`                            // the proxy decides now
	Version       uint64                 `protobuf:"varint,10,opt,name=version,proto3" json:"version,omitempty"`                             // of the PoolBackends that it goes by; 0: of none of this session
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *PoolSeen) Reset() {
	*x = PoolSeen{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[3]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *PoolSeen) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*PoolSeen) ProtoMessage() {}

func (x *PoolSeen) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[3]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use PoolSeen.ProtoReflect.Descriptor instead.
func (*PoolSeen) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{3}
}

func (x *PoolSeen) GetPool() uint32 {
	if x != nil {
		return x.Pool
	}
	return 0
}

func (x *PoolSeen) GetDecided() uint64 {
	if x != nil {
		return x.Decided
	}
	return 0
}

func (x *PoolSeen) GetInFlight() uint32 {
	if x != nil {
		return x.InFlight
	}
	return 0
}

func (x *PoolSeen) GetSeen() []*BackendSeen {
	if x != nil {
		return x.Seen
	}
	return nil
}

func (x *PoolSeen) GetServed() uint64 {
	if x != nil {
		return x.Served
	}
	return 0
}

func (x *PoolSeen) GetServiceUs() uint64 {
	if x != nil {
		return x.ServiceUs
	}
	return 0
}

func (x *PoolSeen) GetRoundTripUs() uint64 {
	if x != nil {
		return x.RoundTripUs
	}
	return 0
}

func (x *PoolSeen) GetRefused() uint64 {
	if x != nil {
		return x.Refused
	}
	return 0
}

func (x *PoolSeen) GetDeciding() bool {
	if x != nil {
		return x.Deciding
	}
	return false
}

func (x *PoolSeen) GetVersion() uint64 {
	if x != nil {
		return x.Version
	}
	return 0
}

// Versions is a range of wire versions, both ends included.
type Versions struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Oldest        uint32                 `protobuf:"varint,1,opt,name=oldest,proto3" json:"oldest,omitempty"`
	Newest        uint32                 `protobuf:"varint,2,opt,name=newest,proto3" json:"newest,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Versions) Reset() {
	*x = Versions{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[4]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Versions) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Versions) ProtoMessage() {}

func (x *Versions) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[4]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Versions.ProtoReflect.Descriptor instead.
func (*Versions) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{4}
}

func (x *Versions) GetOldest() uint32 {
	if x != nil {
		return x.Oldest
	}
	return 0
}

func (x *Versions) GetNewest() uint32 {
	if x != nil {
		return x.Newest
	}
	return 0
}

type ProxyHello struct {
	state    protoimpl.MessageState `protogen:"open.v1"`
	Versions *Versions              `protobuf:"bytes,1,opt,name=versions,proto3" json:"versions,omitempty"`
	Name     string                 `protobuf:"bytes,2,opt,name=name,proto3" json:"name,omitempty"`         // stable over restarts; one live session a name
	Instance string                 `protobuf:"bytes,3,opt,name=instance,proto3" json:"instance,omitempty"` // random, made when the process starts
	Zone     string                 `protobuf:"bytes,4,opt,name=zone,proto3" json:"zone,omitempty"`
	Software string                 `protobuf:"bytes,5,opt,name=software,proto3" json:"software,omitempty"` // for people: "fairlead 0.1.0"
	// advertise is the host at which clients reach this proxy, where that is not the one
	// that its listeners are bound to.
	Advertise string `protobuf:"bytes,7,opt,name=advertise,proto3" json:"advertise,omitempty"`
	// replaces is the instance of an earlier run of this proxy that has handed its listeners
	// over, and ends when its requests have: it may have a session for as long.
	Replaces      string `protobuf:"bytes,8,opt,name=replaces,proto3" json:"replaces,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ProxyHello) Reset() {
	*x = ProxyHello{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[5]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ProxyHello) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ProxyHello) ProtoMessage() {}

func (x *ProxyHello) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[5]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ProxyHello.ProtoReflect.Descriptor instead.
func (*ProxyHello) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{5}
}

func (x *ProxyHello) GetVersions() *Versions {
	if x != nil {
		return x.Versions
	}
	return nil
}

func (x *ProxyHello) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *ProxyHello) GetInstance() string {
	if x != nil {
		return x.Instance
	}
	return ""
}

func (x *ProxyHello) GetZone() string {
	if x != nil {
		return x.Zone
	}
	return ""
}

func (x *ProxyHello) GetSoftware() string {
	if x != nil {
		return x.Software
	}
	return ""
}

func (x *ProxyHello) GetAdvertise() string {
	if x != nil {
		return x.Advertise
	}
	return ""
}

func (x *ProxyHello) GetReplaces() string {
	if x != nil {
		return x.Replaces
	}
	return ""
}

// LiveGrant is a grant that a proxy goes on using after its session broke.
type LiveGrant struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Id            *GrantID               `protobuf:"bytes,1,opt,name=id,proto3" json:"id,omitempty"`
	Backend       string                 `protobuf:"bytes,3,opt,name=backend,proto3" json:"backend,omitempty"`
	HeldMs        uint64                 `protobuf:"varint,4,opt,name=held_ms,json=heldMs,proto3" json:"held_ms,omitempty"` // since when, for its time limit
	Kept          bool                   `protobuf:"varint,5,opt,name=kept,proto3" json:"kept,omitempty"`                   // no request runs on it now
	Uses          uint32                 `protobuf:"varint,6,opt,name=uses,proto3" json:"uses,omitempty"`                   // how often its slot was used again
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *LiveGrant) Reset() {
	*x = LiveGrant{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[6]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *LiveGrant) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*LiveGrant) ProtoMessage() {}

func (x *LiveGrant) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[6]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use LiveGrant.ProtoReflect.Descriptor instead.
func (*LiveGrant) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{6}
}

func (x *LiveGrant) GetId() *GrantID {
	if x != nil {
		return x.Id
	}
	return nil
}

func (x *LiveGrant) GetBackend() string {
	if x != nil {
		return x.Backend
	}
	return ""
}

func (x *LiveGrant) GetHeldMs() uint64 {
	if x != nil {
		return x.HeldMs
	}
	return 0
}

func (x *LiveGrant) GetKept() bool {
	if x != nil {
		return x.Kept
	}
	return false
}

func (x *LiveGrant) GetUses() uint32 {
	if x != nil {
		return x.Uses
	}
	return 0
}

// GrantID names a grant among all that any controller ever made.
type GrantID struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Epoch         uint64                 `protobuf:"varint,1,opt,name=epoch,proto3" json:"epoch,omitempty"` // the term of the controller that made it
	Number        uint64                 `protobuf:"varint,2,opt,name=number,proto3" json:"number,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *GrantID) Reset() {
	*x = GrantID{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[7]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *GrantID) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*GrantID) ProtoMessage() {}

func (x *GrantID) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[7]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use GrantID.ProtoReflect.Descriptor instead.
func (*GrantID) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{7}
}

func (x *GrantID) GetEpoch() uint64 {
	if x != nil {
		return x.Epoch
	}
	return 0
}

func (x *GrantID) GetNumber() uint64 {
	if x != nil {
		return x.Number
	}
	return 0
}

// Ask is a proxy's request for a grant, with the load metrics that it carries.
type Ask struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Id            uint64                 `protobuf:"varint,1,opt,name=id,proto3" json:"id,omitempty"`                                        // rising within a session, never used twice
	Pool          uint32                 `protobuf:"varint,2,opt,name=pool,proto3" json:"pool,omitempty"`                                    // a number from the table
	WaitedUs      uint64                 `protobuf:"varint,3,opt,name=waited_us,json=waitedUs,proto3" json:"waited_us,omitempty"`            // how long the request has waited already, when it asks again
	Exclude       []string               `protobuf:"bytes,4,rep,name=exclude,proto3" json:"exclude,omitempty"`                               // backends that this request could not reach
	InFlight      uint32                 `protobuf:"varint,5,opt,name=in_flight,json=inFlight,proto3" json:"in_flight,omitempty"`            // load metric: links in flight here, in this pool
	Seen          []*BackendSeen         `protobuf:"bytes,6,rep,name=seen,proto3" json:"seen,omitempty"`                                     // load metrics: what was seen here since last told
	About         *About                 `protobuf:"bytes,7,opt,name=about,proto3" json:"about,omitempty"`                                   // where the pool's entry wants it
	RoundTripUs   uint64                 `protobuf:"varint,8,opt,name=round_trip_us,json=roundTripUs,proto3" json:"round_trip_us,omitempty"` // load metric: a message to the controller and back; 0: not known
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Ask) Reset() {
	*x = Ask{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[8]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Ask) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Ask) ProtoMessage() {}

func (x *Ask) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[8]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Ask.ProtoReflect.Descriptor instead.
func (*Ask) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{8}
}

func (x *Ask) GetId() uint64 {
	if x != nil {
		return x.Id
	}
	return 0
}

func (x *Ask) GetPool() uint32 {
	if x != nil {
		return x.Pool
	}
	return 0
}

func (x *Ask) GetWaitedUs() uint64 {
	if x != nil {
		return x.WaitedUs
	}
	return 0
}

func (x *Ask) GetExclude() []string {
	if x != nil {
		return x.Exclude
	}
	return nil
}

func (x *Ask) GetInFlight() uint32 {
	if x != nil {
		return x.InFlight
	}
	return 0
}

func (x *Ask) GetSeen() []*BackendSeen {
	if x != nil {
		return x.Seen
	}
	return nil
}

func (x *Ask) GetAbout() *About {
	if x != nil {
		return x.About
	}
	return nil
}

func (x *Ask) GetRoundTripUs() uint64 {
	if x != nil {
		return x.RoundTripUs
	}
	return 0
}

// About is what a request is.
type About struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Client        string                 `protobuf:"bytes,1,opt,name=client,proto3" json:"client,omitempty"` // the client's IP address
	Method        string                 `protobuf:"bytes,2,opt,name=method,proto3" json:"method,omitempty"` // HTTP
	Host          string                 `protobuf:"bytes,3,opt,name=host,proto3" json:"host,omitempty"`     // HTTP's authority, or the TLS server name
	Path          string                 `protobuf:"bytes,4,opt,name=path,proto3" json:"path,omitempty"`     // HTTP, without the query; at most 1 KiB of it
	Class         Class                  `protobuf:"varint,5,opt,name=class,proto3,enum=fairlead.v1.Class" json:"class,omitempty"`
	Flow          string                 `protobuf:"bytes,6,opt,name=flow,proto3" json:"flow,omitempty"`                                // whose it is, for fairness
	DeadlineMs    uint64                 `protobuf:"varint,7,opt,name=deadline_ms,json=deadlineMs,proto3" json:"deadline_ms,omitempty"` // from now, when the client gives up; 0: not known
	Labels        []string               `protobuf:"bytes,8,rep,name=labels,proto3" json:"labels,omitempty"`                            // "name=value" that the backend must have, sorted
	Affinity      string                 `protobuf:"bytes,9,opt,name=affinity,proto3" json:"affinity,omitempty"`                        // requests with the same one go to the same backend; empty: none
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *About) Reset() {
	*x = About{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[9]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *About) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*About) ProtoMessage() {}

func (x *About) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[9]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use About.ProtoReflect.Descriptor instead.
func (*About) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{9}
}

func (x *About) GetClient() string {
	if x != nil {
		return x.Client
	}
	return ""
}

func (x *About) GetMethod() string {
	if x != nil {
		return x.Method
	}
	return ""
}

func (x *About) GetHost() string {
	if x != nil {
		return x.Host
	}
	return ""
}

func (x *About) GetPath() string {
	if x != nil {
		return x.Path
	}
	return ""
}

func (x *About) GetClass() Class {
	if x != nil {
		return x.Class
	}
	return Class_CLASS_UNSPECIFIED
}

func (x *About) GetFlow() string {
	if x != nil {
		return x.Flow
	}
	return ""
}

func (x *About) GetDeadlineMs() uint64 {
	if x != nil {
		return x.DeadlineMs
	}
	return 0
}

func (x *About) GetLabels() []string {
	if x != nil {
		return x.Labels
	}
	return nil
}

func (x *About) GetAffinity() string {
	if x != nil {
		return x.Affinity
	}
	return ""
}

// BackendSeen is what one proxy saw of one backend.
type BackendSeen struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Backend       string                 `protobuf:"bytes,1,opt,name=backend,proto3" json:"backend,omitempty"`
	InFlight      uint32                 `protobuf:"varint,2,opt,name=in_flight,json=inFlight,proto3" json:"in_flight,omitempty"`    // links from this proxy to it, now
	LatencyUs     uint64                 `protobuf:"varint,3,opt,name=latency_us,json=latencyUs,proto3" json:"latency_us,omitempty"` // moving average here, start of link to its end
	Errors        uint32                 `protobuf:"varint,4,opt,name=errors,proto3" json:"errors,omitempty"`                        // failures since last told
	Load          *OrcaLoadReport        `protobuf:"bytes,5,opt,name=load,proto3" json:"load,omitempty"`                             // newest report that came in an answer's head
	Decided       uint64                 `protobuf:"varint,6,opt,name=decided,proto3" json:"decided,omitempty"`                      // in PoolSeen: requests that it was given, since last told
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *BackendSeen) Reset() {
	*x = BackendSeen{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[10]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *BackendSeen) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*BackendSeen) ProtoMessage() {}

func (x *BackendSeen) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[10]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use BackendSeen.ProtoReflect.Descriptor instead.
func (*BackendSeen) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{10}
}

func (x *BackendSeen) GetBackend() string {
	if x != nil {
		return x.Backend
	}
	return ""
}

func (x *BackendSeen) GetInFlight() uint32 {
	if x != nil {
		return x.InFlight
	}
	return 0
}

func (x *BackendSeen) GetLatencyUs() uint64 {
	if x != nil {
		return x.LatencyUs
	}
	return 0
}

func (x *BackendSeen) GetErrors() uint32 {
	if x != nil {
		return x.Errors
	}
	return 0
}

func (x *BackendSeen) GetLoad() *OrcaLoadReport {
	if x != nil {
		return x.Load
	}
	return nil
}

func (x *BackendSeen) GetDecided() uint64 {
	if x != nil {
		return x.Decided
	}
	return 0
}

// Withdrawal takes an ask back: the client is gone.
type Withdrawal struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Pool          uint32                 `protobuf:"varint,1,opt,name=pool,proto3" json:"pool,omitempty"`
	Ask           uint64                 `protobuf:"varint,2,opt,name=ask,proto3" json:"ask,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Withdrawal) Reset() {
	*x = Withdrawal{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[11]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Withdrawal) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Withdrawal) ProtoMessage() {}

func (x *Withdrawal) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[11]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Withdrawal.ProtoReflect.Descriptor instead.
func (*Withdrawal) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{11}
}

func (x *Withdrawal) GetPool() uint32 {
	if x != nil {
		return x.Pool
	}
	return 0
}

func (x *Withdrawal) GetAsk() uint64 {
	if x != nil {
		return x.Ask
	}
	return 0
}

// Done says that a grant is over, with how it went.
type Done struct {
	state     protoimpl.MessageState `protogen:"open.v1"`
	Grant     *GrantID               `protobuf:"bytes,1,opt,name=grant,proto3" json:"grant,omitempty"`
	Pool      uint32                 `protobuf:"varint,2,opt,name=pool,proto3" json:"pool,omitempty"`
	Outcome   Outcome                `protobuf:"varint,3,opt,name=outcome,proto3,enum=fairlead.v1.Outcome" json:"outcome,omitempty"`
	LatencyUs uint64                 `protobuf:"varint,4,opt,name=latency_us,json=latencyUs,proto3" json:"latency_us,omitempty"` // link established to its end; 0: tells nothing about speed
	Seen      *BackendSeen           `protobuf:"bytes,5,opt,name=seen,proto3" json:"seen,omitempty"`                             // load metrics of the backend that served
	// kept: the request is over, and the proxy keeps the slot as its grant allows. It ends with
	// a done that is not kept.
	Kept          bool   `protobuf:"varint,6,opt,name=kept,proto3" json:"kept,omitempty"`
	Uses          uint32 `protobuf:"varint,7,opt,name=uses,proto3" json:"uses,omitempty"` // how often the slot was used again
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Done) Reset() {
	*x = Done{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[12]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Done) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Done) ProtoMessage() {}

func (x *Done) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[12]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Done.ProtoReflect.Descriptor instead.
func (*Done) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{12}
}

func (x *Done) GetGrant() *GrantID {
	if x != nil {
		return x.Grant
	}
	return nil
}

func (x *Done) GetPool() uint32 {
	if x != nil {
		return x.Pool
	}
	return 0
}

func (x *Done) GetOutcome() Outcome {
	if x != nil {
		return x.Outcome
	}
	return Outcome_OUTCOME_UNSPECIFIED
}

func (x *Done) GetLatencyUs() uint64 {
	if x != nil {
		return x.LatencyUs
	}
	return 0
}

func (x *Done) GetSeen() *BackendSeen {
	if x != nil {
		return x.Seen
	}
	return nil
}

func (x *Done) GetKept() bool {
	if x != nil {
		return x.Kept
	}
	return false
}

func (x *Done) GetUses() uint32 {
	if x != nil {
		return x.Uses
	}
	return 0
}

// ProxyStatus is a proxy's own state.
type ProxyStatus struct {
	state          protoimpl.MessageState `protogen:"open.v1"`
	Connections    uint32                 `protobuf:"varint,1,opt,name=connections,proto3" json:"connections,omitempty"`           // open client connections
	Waiting        uint32                 `protobuf:"varint,2,opt,name=waiting,proto3" json:"waiting,omitempty"`                   // asks without an answer
	InFlight       uint32                 `protobuf:"varint,3,opt,name=in_flight,json=inFlight,proto3" json:"in_flight,omitempty"` // grants held
	Cpu            float64                `protobuf:"fixed64,4,opt,name=cpu,proto3" json:"cpu,omitempty"`                          // of one core, by this process, over the last second
	Listeners      []*BoundListener       `protobuf:"bytes,5,rep,name=listeners,proto3" json:"listeners,omitempty"`
	Draining       bool                   `protobuf:"varint,6,opt,name=draining,proto3" json:"draining,omitempty"`
	MaxConnections uint32                 `protobuf:"varint,7,opt,name=max_connections,json=maxConnections,proto3" json:"max_connections,omitempty"` // takes no more client connections than this; 0: not said
	Cores          uint32                 `protobuf:"varint,8,opt,name=cores,proto3" json:"cores,omitempty"`                                         // that the process may use; 0: not said
	Number         uint64                 `protobuf:"varint,9,opt,name=number,proto3" json:"number,omitempty"`                                       // rising; the controller's next message names it. 0: not said
	unknownFields  protoimpl.UnknownFields
	sizeCache      protoimpl.SizeCache
}

func (x *ProxyStatus) Reset() {
	*x = ProxyStatus{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[13]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ProxyStatus) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ProxyStatus) ProtoMessage() {}

func (x *ProxyStatus) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[13]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ProxyStatus.ProtoReflect.Descriptor instead.
func (*ProxyStatus) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{13}
}

func (x *ProxyStatus) GetConnections() uint32 {
	if x != nil {
		return x.Connections
	}
	return 0
}

func (x *ProxyStatus) GetWaiting() uint32 {
	if x != nil {
		return x.Waiting
	}
	return 0
}

func (x *ProxyStatus) GetInFlight() uint32 {
	if x != nil {
		return x.InFlight
	}
	return 0
}

func (x *ProxyStatus) GetCpu() float64 {
	if x != nil {
		return x.Cpu
	}
	return 0
}

func (x *ProxyStatus) GetListeners() []*BoundListener {
	if x != nil {
		return x.Listeners
	}
	return nil
}

func (x *ProxyStatus) GetDraining() bool {
	if x != nil {
		return x.Draining
	}
	return false
}

func (x *ProxyStatus) GetMaxConnections() uint32 {
	if x != nil {
		return x.MaxConnections
	}
	return 0
}

func (x *ProxyStatus) GetCores() uint32 {
	if x != nil {
		return x.Cores
	}
	return 0
}

func (x *ProxyStatus) GetNumber() uint64 {
	if x != nil {
		return x.Number
	}
	return 0
}

// BoundListener is one listener as it stands at one proxy.
type BoundListener struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Name          string                 `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
	Address       string                 `protobuf:"bytes,2,opt,name=address,proto3" json:"address,omitempty"` // bound to; empty when it is not
	Error         string                 `protobuf:"bytes,3,opt,name=error,proto3" json:"error,omitempty"`     // why not
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *BoundListener) Reset() {
	*x = BoundListener{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[14]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *BoundListener) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*BoundListener) ProtoMessage() {}

func (x *BoundListener) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[14]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use BoundListener.ProtoReflect.Descriptor instead.
func (*BoundListener) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{14}
}

func (x *BoundListener) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *BoundListener) GetAddress() string {
	if x != nil {
		return x.Address
	}
	return ""
}

func (x *BoundListener) GetError() string {
	if x != nil {
		return x.Error
	}
	return ""
}

// ControllerMessage is what a proxy receives.
type ControllerMessage struct {
	state    protoimpl.MessageState `protogen:"open.v1"`
	Welcome  *Welcome               `protobuf:"bytes,1,opt,name=welcome,proto3" json:"welcome,omitempty"` // in the first message only
	Table    *Table                 `protobuf:"bytes,2,opt,name=table,proto3" json:"table,omitempty"`     // replaces the last one
	Grants   []*Grant               `protobuf:"bytes,3,rep,name=grants,proto3" json:"grants,omitempty"`
	Refusals []*Refusal             `protobuf:"bytes,4,rep,name=refusals,proto3" json:"refusals,omitempty"`
	Revokes  []*Revoke              `protobuf:"bytes,5,rep,name=revokes,proto3" json:"revokes,omitempty"`   // of grants in this message too
	Backends []*PoolBackends        `protobuf:"bytes,6,rep,name=backends,proto3" json:"backends,omitempty"` // of pools for which proxies may decide; on change
	// status is the number of the status that this message answers, so that a proxy can tell
	// how long a message takes to its controller and back; 0: it answers none.
	Status   uint64     `protobuf:"varint,7,opt,name=status,proto3" json:"status,omitempty"`
	Reclaims []*GrantID `protobuf:"bytes,8,rep,name=reclaims,proto3" json:"reclaims,omitempty"` // of kept slots: give them back, or keep them no more
	Heard    uint64     `protobuf:"varint,9,opt,name=heard,proto3" json:"heard,omitempty"`      // the latest number of a proxy's message that was decided on
	// leads replace the last ones. A controller that says none with its welcome leads every
	// pool of its table, in the welcome's epoch.
	Leads         *Leads `protobuf:"bytes,10,opt,name=leads,proto3" json:"leads,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ControllerMessage) Reset() {
	*x = ControllerMessage{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[15]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ControllerMessage) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ControllerMessage) ProtoMessage() {}

func (x *ControllerMessage) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[15]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ControllerMessage.ProtoReflect.Descriptor instead.
func (*ControllerMessage) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{15}
}

func (x *ControllerMessage) GetWelcome() *Welcome {
	if x != nil {
		return x.Welcome
	}
	return nil
}

func (x *ControllerMessage) GetTable() *Table {
	if x != nil {
		return x.Table
	}
	return nil
}

func (x *ControllerMessage) GetGrants() []*Grant {
	if x != nil {
		return x.Grants
	}
	return nil
}

func (x *ControllerMessage) GetRefusals() []*Refusal {
	if x != nil {
		return x.Refusals
	}
	return nil
}

func (x *ControllerMessage) GetRevokes() []*Revoke {
	if x != nil {
		return x.Revokes
	}
	return nil
}

func (x *ControllerMessage) GetBackends() []*PoolBackends {
	if x != nil {
		return x.Backends
	}
	return nil
}

func (x *ControllerMessage) GetStatus() uint64 {
	if x != nil {
		return x.Status
	}
	return 0
}

func (x *ControllerMessage) GetReclaims() []*GrantID {
	if x != nil {
		return x.Reclaims
	}
	return nil
}

func (x *ControllerMessage) GetHeard() uint64 {
	if x != nil {
		return x.Heard
	}
	return 0
}

func (x *ControllerMessage) GetLeads() *Leads {
	if x != nil {
		return x.Leads
	}
	return nil
}

// Leads are the pools that a controller leads.
type Leads struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Leads         []*Lead                `protobuf:"bytes,1,rep,name=leads,proto3" json:"leads,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Leads) Reset() {
	*x = Leads{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[16]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Leads) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Leads) ProtoMessage() {}

func (x *Leads) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[16]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Leads.ProtoReflect.Descriptor instead.
func (*Leads) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{16}
}

func (x *Leads) GetLeads() []*Lead {
	if x != nil {
		return x.Leads
	}
	return nil
}

// Lead is one pool that the controller leads, in a term of its own.
type Lead struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	Pool  uint32                 `protobuf:"varint,1,opt,name=pool,proto3" json:"pool,omitempty"`   // a number from the table
	Epoch uint64                 `protobuf:"varint,2,opt,name=epoch,proto3" json:"epoch,omitempty"` // of two controllers that say they lead a pool, the higher one does
	// learning: it grants nothing yet, because not all proxies have said what they have. They go
	// on with the slots that they have in hand, and tell it of that.
	Learning      bool `protobuf:"varint,3,opt,name=learning,proto3" json:"learning,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Lead) Reset() {
	*x = Lead{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[17]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Lead) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Lead) ProtoMessage() {}

func (x *Lead) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[17]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Lead.ProtoReflect.Descriptor instead.
func (*Lead) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{17}
}

func (x *Lead) GetPool() uint32 {
	if x != nil {
		return x.Pool
	}
	return 0
}

func (x *Lead) GetEpoch() uint64 {
	if x != nil {
		return x.Epoch
	}
	return 0
}

func (x *Lead) GetLearning() bool {
	if x != nil {
		return x.Learning
	}
	return false
}

// PoolBackends are the backends that a proxy may choose from when it decides itself.
type PoolBackends struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Pool          uint32                 `protobuf:"varint,1,opt,name=pool,proto3" json:"pool,omitempty"`                      // a number from the table
	Decide        bool                   `protobuf:"varint,2,opt,name=decide,proto3" json:"decide,omitempty"`                  // the proxy decides from now on; else it asks
	Backends      []*ChoosableBackend    `protobuf:"bytes,3,rep,name=backends,proto3" json:"backends,omitempty"`               // replaces the last ones
	LimitMs       uint64                 `protobuf:"varint,4,opt,name=limit_ms,json=limitMs,proto3" json:"limit_ms,omitempty"` // how long a request may last that the proxy decides; 0: any time
	Version       uint64                 `protobuf:"varint,5,opt,name=version,proto3" json:"version,omitempty"`                // rises within a session
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *PoolBackends) Reset() {
	*x = PoolBackends{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[18]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *PoolBackends) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*PoolBackends) ProtoMessage() {}

func (x *PoolBackends) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[18]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use PoolBackends.ProtoReflect.Descriptor instead.
func (*PoolBackends) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{18}
}

func (x *PoolBackends) GetPool() uint32 {
	if x != nil {
		return x.Pool
	}
	return 0
}

func (x *PoolBackends) GetDecide() bool {
	if x != nil {
		return x.Decide
	}
	return false
}

func (x *PoolBackends) GetBackends() []*ChoosableBackend {
	if x != nil {
		return x.Backends
	}
	return nil
}

func (x *PoolBackends) GetLimitMs() uint64 {
	if x != nil {
		return x.LimitMs
	}
	return 0
}

func (x *PoolBackends) GetVersion() uint64 {
	if x != nil {
		return x.Version
	}
	return 0
}

// LastBackends is what a proxy keeps on disk beside its table: what it was told last of
// backends, by pool.
type LastBackends struct {
	state         protoimpl.MessageState   `protogen:"open.v1"`
	Pools         map[string]*PoolBackends `protobuf:"bytes,1,rep,name=pools,proto3" json:"pools,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"bytes,2,opt,name=value"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *LastBackends) Reset() {
	*x = LastBackends{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[19]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *LastBackends) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*LastBackends) ProtoMessage() {}

func (x *LastBackends) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[19]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use LastBackends.ProtoReflect.Descriptor instead.
func (*LastBackends) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{19}
}

func (x *LastBackends) GetPools() map[string]*PoolBackends {
	if x != nil {
		return x.Pools
	}
	return nil
}

type ChoosableBackend struct {
	state     protoimpl.MessageState `protogen:"open.v1"`
	Address   string                 `protobuf:"bytes,1,opt,name=address,proto3" json:"address,omitempty"`
	Workers   uint32                 `protobuf:"varint,2,opt,name=workers,proto3" json:"workers,omitempty"`
	Weight    float64                `protobuf:"fixed64,3,opt,name=weight,proto3" json:"weight,omitempty"` // by hand; 0: 1
	Zone      string                 `protobuf:"bytes,4,opt,name=zone,proto3" json:"zone,omitempty"`
	Labels    []string               `protobuf:"bytes,5,rep,name=labels,proto3" json:"labels,omitempty"`
	LatencyMs float64                `protobuf:"fixed64,6,opt,name=latency_ms,json=latencyMs,proto3" json:"latency_ms,omitempty"` // learnt; 0: not yet
	// share is how many of its slots are this proxy's when no controller lives, in a pool whose
	// slots hold. The shares of all proxies are at most the slots.
	Share         uint32 `protobuf:"varint,7,opt,name=share,proto3" json:"share,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ChoosableBackend) Reset() {
	*x = ChoosableBackend{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[20]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ChoosableBackend) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ChoosableBackend) ProtoMessage() {}

func (x *ChoosableBackend) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[20]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ChoosableBackend.ProtoReflect.Descriptor instead.
func (*ChoosableBackend) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{20}
}

func (x *ChoosableBackend) GetAddress() string {
	if x != nil {
		return x.Address
	}
	return ""
}

func (x *ChoosableBackend) GetWorkers() uint32 {
	if x != nil {
		return x.Workers
	}
	return 0
}

func (x *ChoosableBackend) GetWeight() float64 {
	if x != nil {
		return x.Weight
	}
	return 0
}

func (x *ChoosableBackend) GetZone() string {
	if x != nil {
		return x.Zone
	}
	return ""
}

func (x *ChoosableBackend) GetLabels() []string {
	if x != nil {
		return x.Labels
	}
	return nil
}

func (x *ChoosableBackend) GetLatencyMs() float64 {
	if x != nil {
		return x.LatencyMs
	}
	return 0
}

func (x *ChoosableBackend) GetShare() uint32 {
	if x != nil {
		return x.Share
	}
	return 0
}

type Welcome struct {
	state          protoimpl.MessageState `protogen:"open.v1"`
	Version        uint32                 `protobuf:"varint,1,opt,name=version,proto3" json:"version,omitempty"`
	Epoch          uint64                 `protobuf:"varint,2,opt,name=epoch,proto3" json:"epoch,omitempty"`                                         // this controller's term
	MaxOutstanding uint32                 `protobuf:"varint,3,opt,name=max_outstanding,json=maxOutstanding,proto3" json:"max_outstanding,omitempty"` // asks without an answer, at most
	GraceMs        uint64                 `protobuf:"varint,4,opt,name=grace_ms,json=graceMs,proto3" json:"grace_ms,omitempty"`                      // how long the controller keeps the slots of a lost session
	Software       string                 `protobuf:"bytes,5,opt,name=software,proto3" json:"software,omitempty"`
	unknownFields  protoimpl.UnknownFields
	sizeCache      protoimpl.SizeCache
}

func (x *Welcome) Reset() {
	*x = Welcome{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[21]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Welcome) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Welcome) ProtoMessage() {}

func (x *Welcome) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[21]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Welcome.ProtoReflect.Descriptor instead.
func (*Welcome) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{21}
}

func (x *Welcome) GetVersion() uint32 {
	if x != nil {
		return x.Version
	}
	return 0
}

func (x *Welcome) GetEpoch() uint64 {
	if x != nil {
		return x.Epoch
	}
	return 0
}

func (x *Welcome) GetMaxOutstanding() uint32 {
	if x != nil {
		return x.MaxOutstanding
	}
	return 0
}

func (x *Welcome) GetGraceMs() uint64 {
	if x != nil {
		return x.GraceMs
	}
	return 0
}

func (x *Welcome) GetSoftware() string {
	if x != nil {
		return x.Software
	}
	return ""
}

// Table is what a proxy needs to carry traffic.
type Table struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Version       uint64                 `protobuf:"varint,1,opt,name=version,proto3" json:"version,omitempty"`
	Listeners     []*Listener            `protobuf:"bytes,2,rep,name=listeners,proto3" json:"listeners,omitempty"`
	Routes        []*Route               `protobuf:"bytes,3,rep,name=routes,proto3" json:"routes,omitempty"`
	Pools         []*PoolEntry           `protobuf:"bytes,4,rep,name=pools,proto3" json:"pools,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Table) Reset() {
	*x = Table{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[22]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Table) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Table) ProtoMessage() {}

func (x *Table) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[22]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Table.ProtoReflect.Descriptor instead.
func (*Table) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{22}
}

func (x *Table) GetVersion() uint64 {
	if x != nil {
		return x.Version
	}
	return 0
}

func (x *Table) GetListeners() []*Listener {
	if x != nil {
		return x.Listeners
	}
	return nil
}

func (x *Table) GetRoutes() []*Route {
	if x != nil {
		return x.Routes
	}
	return nil
}

func (x *Table) GetPools() []*PoolEntry {
	if x != nil {
		return x.Pools
	}
	return nil
}

type Listener struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Name          string                 `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
	Address       string                 `protobuf:"bytes,2,opt,name=address,proto3" json:"address,omitempty"`
	Protocol      Protocol               `protobuf:"varint,3,opt,name=protocol,proto3,enum=fairlead.v1.Protocol" json:"protocol,omitempty"`
	IdleTimeoutMs uint64                 `protobuf:"varint,4,opt,name=idle_timeout_ms,json=idleTimeoutMs,proto3" json:"idle_timeout_ms,omitempty"` // of TCP: how long a link lives on which no byte moves; 0: any time
	// accept_proxy_from are subnets. Connections from there begin with a PROXY protocol header,
	// or are closed; those from elsewhere do not. None: nobody sends one.
	AcceptProxyFrom []string     `protobuf:"bytes,5,rep,name=accept_proxy_from,json=acceptProxyFrom,proto3" json:"accept_proxy_from,omitempty"`
	Tls             *ListenerTLS `protobuf:"bytes,6,opt,name=tls,proto3" json:"tls,omitempty"`           // missing: plain text
	Timeouts        *Timeouts    `protobuf:"bytes,7,opt,name=timeouts,proto3" json:"timeouts,omitempty"` // of HTTP/1.1; missing, and 0 within: as the proxy has them
	// trusted are subnets, of HTTP. What peers from there say of the client (X-Forwarded-*,
	// Forwarded) is kept; of others it is dropped. None: nobody is believed.
	Trusted       []string `protobuf:"bytes,8,rep,name=trusted,proto3" json:"trusted,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Listener) Reset() {
	*x = Listener{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[23]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Listener) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Listener) ProtoMessage() {}

func (x *Listener) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[23]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Listener.ProtoReflect.Descriptor instead.
func (*Listener) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{23}
}

func (x *Listener) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *Listener) GetAddress() string {
	if x != nil {
		return x.Address
	}
	return ""
}

func (x *Listener) GetProtocol() Protocol {
	if x != nil {
		return x.Protocol
	}
	return Protocol_PROTOCOL_UNSPECIFIED
}

func (x *Listener) GetIdleTimeoutMs() uint64 {
	if x != nil {
		return x.IdleTimeoutMs
	}
	return 0
}

func (x *Listener) GetAcceptProxyFrom() []string {
	if x != nil {
		return x.AcceptProxyFrom
	}
	return nil
}

func (x *Listener) GetTls() *ListenerTLS {
	if x != nil {
		return x.Tls
	}
	return nil
}

func (x *Listener) GetTimeouts() *Timeouts {
	if x != nil {
		return x.Timeouts
	}
	return nil
}

func (x *Listener) GetTrusted() []string {
	if x != nil {
		return x.Trusted
	}
	return nil
}

// Timeouts bound how long a connection waits, each for one thing.
type Timeouts struct {
	state       protoimpl.MessageState `protogen:"open.v1"`
	IdleMs      uint64                 `protobuf:"varint,1,opt,name=idle_ms,json=idleMs,proto3" json:"idle_ms,omitempty"`                  // for the next request
	HeadMs      uint64                 `protobuf:"varint,2,opt,name=head_ms,json=headMs,proto3" json:"head_ms,omitempty"`                  // from a head's first byte to its last
	BodyMs      uint64                 `protobuf:"varint,3,opt,name=body_ms,json=bodyMs,proto3" json:"body_ms,omitempty"`                  // for more of a request's body, or for the backend to take it
	AnswerMs    uint64                 `protobuf:"varint,4,opt,name=answer_ms,json=answerMs,proto3" json:"answer_ms,omitempty"`            // for more of an answer, or for the client to take it
	FirstByteMs uint64                 `protobuf:"varint,5,opt,name=first_byte_ms,json=firstByteMs,proto3" json:"first_byte_ms,omitempty"` // from a request's end to its answer's head; 0: any time
	// for a byte either way in a tunnel; 0: any time, and missing: as the proxy has it
	TunnelMs      *uint64 `protobuf:"varint,6,opt,name=tunnel_ms,json=tunnelMs,proto3,oneof" json:"tunnel_ms,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Timeouts) Reset() {
	*x = Timeouts{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[24]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Timeouts) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Timeouts) ProtoMessage() {}

func (x *Timeouts) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[24]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Timeouts.ProtoReflect.Descriptor instead.
func (*Timeouts) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{24}
}

func (x *Timeouts) GetIdleMs() uint64 {
	if x != nil {
		return x.IdleMs
	}
	return 0
}

func (x *Timeouts) GetHeadMs() uint64 {
	if x != nil {
		return x.HeadMs
	}
	return 0
}

func (x *Timeouts) GetBodyMs() uint64 {
	if x != nil {
		return x.BodyMs
	}
	return 0
}

func (x *Timeouts) GetAnswerMs() uint64 {
	if x != nil {
		return x.AnswerMs
	}
	return 0
}

func (x *Timeouts) GetFirstByteMs() uint64 {
	if x != nil {
		return x.FirstByteMs
	}
	return 0
}

func (x *Timeouts) GetTunnelMs() uint64 {
	if x != nil && x.TunnelMs != nil {
		return *x.TunnelMs
	}
	return 0
}

// ListenerTLS names files, on the proxy's host, in PEM.
type ListenerTLS struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Certificates  []*CertificateFiles    `protobuf:"bytes,1,rep,name=certificates,proto3" json:"certificates,omitempty"`             // chosen by the name that a client asks for; else the first
	ClientCa      string                 `protobuf:"bytes,2,opt,name=client_ca,json=clientCa,proto3" json:"client_ca,omitempty"`     // signs clients' certificates; empty: they need none
	ClientMay     bool                   `protobuf:"varint,3,opt,name=client_may,json=clientMay,proto3" json:"client_may,omitempty"` // those without a certificate are served as well
	NoHttp2       bool                   `protobuf:"varint,4,opt,name=no_http2,json=noHttp2,proto3" json:"no_http2,omitempty"`
	Acme          *ACME                  `protobuf:"bytes,5,opt,name=acme,proto3" json:"acme,omitempty"` // missing: the files are all certificates that there are
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ListenerTLS) Reset() {
	*x = ListenerTLS{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[25]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ListenerTLS) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ListenerTLS) ProtoMessage() {}

func (x *ListenerTLS) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[25]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ListenerTLS.ProtoReflect.Descriptor instead.
func (*ListenerTLS) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{25}
}

func (x *ListenerTLS) GetCertificates() []*CertificateFiles {
	if x != nil {
		return x.Certificates
	}
	return nil
}

func (x *ListenerTLS) GetClientCa() string {
	if x != nil {
		return x.ClientCa
	}
	return ""
}

func (x *ListenerTLS) GetClientMay() bool {
	if x != nil {
		return x.ClientMay
	}
	return false
}

func (x *ListenerTLS) GetNoHttp2() bool {
	if x != nil {
		return x.NoHttp2
	}
	return false
}

func (x *ListenerTLS) GetAcme() *ACME {
	if x != nil {
		return x.Acme
	}
	return nil
}

// ACME has proxies get certificates from a CA, and renew them. Paths are on the proxy's host.
// Who wrote the config has agreed to the CA's terms.
type ACME struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Domains       []string               `protobuf:"bytes,1,rep,name=domains,proto3" json:"domains,omitempty"`                 // the first is for clients that ask for none of them
	Email         string                 `protobuf:"bytes,2,opt,name=email,proto3" json:"email,omitempty"`                     // where the CA may write to; empty: nowhere
	Directory     string                 `protobuf:"bytes,3,opt,name=directory,proto3" json:"directory,omitempty"`             // of the CA, a URL
	Ca            string                 `protobuf:"bytes,4,opt,name=ca,proto3" json:"ca,omitempty"`                           // a file, who signed the directory's own certificate; empty: as the system says
	Storage       string                 `protobuf:"bytes,5,opt,name=storage,proto3" json:"storage,omitempty"`                 // a directory, which proxies may share
	TlsAlpn       bool                   `protobuf:"varint,6,opt,name=tls_alpn,json=tlsAlpn,proto3" json:"tls_alpn,omitempty"` // the challenge tls-alpn-01 is solved
	Http          bool                   `protobuf:"varint,7,opt,name=http,proto3" json:"http,omitempty"`                      // the challenge http-01 is solved
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ACME) Reset() {
	*x = ACME{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[26]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ACME) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ACME) ProtoMessage() {}

func (x *ACME) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[26]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ACME.ProtoReflect.Descriptor instead.
func (*ACME) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{26}
}

func (x *ACME) GetDomains() []string {
	if x != nil {
		return x.Domains
	}
	return nil
}

func (x *ACME) GetEmail() string {
	if x != nil {
		return x.Email
	}
	return ""
}

func (x *ACME) GetDirectory() string {
	if x != nil {
		return x.Directory
	}
	return ""
}

func (x *ACME) GetCa() string {
	if x != nil {
		return x.Ca
	}
	return ""
}

func (x *ACME) GetStorage() string {
	if x != nil {
		return x.Storage
	}
	return ""
}

func (x *ACME) GetTlsAlpn() bool {
	if x != nil {
		return x.TlsAlpn
	}
	return false
}

func (x *ACME) GetHttp() bool {
	if x != nil {
		return x.Http
	}
	return false
}

type CertificateFiles struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Cert          string                 `protobuf:"bytes,1,opt,name=cert,proto3" json:"cert,omitempty"` // with its chain
	Key           string                 `protobuf:"bytes,2,opt,name=key,proto3" json:"key,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *CertificateFiles) Reset() {
	*x = CertificateFiles{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[27]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *CertificateFiles) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*CertificateFiles) ProtoMessage() {}

func (x *CertificateFiles) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[27]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use CertificateFiles.ProtoReflect.Descriptor instead.
func (*CertificateFiles) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{27}
}

func (x *CertificateFiles) GetCert() string {
	if x != nil {
		return x.Cert
	}
	return ""
}

func (x *CertificateFiles) GetKey() string {
	if x != nil {
		return x.Key
	}
	return ""
}

// Route leads a listener's requests to a pool: for HTTP the longest matching host,
// then the longest matching path prefix; for TCP the host alone, which is the TLS server
// name. "*" holds connections without one too.
type Route struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Listener      string                 `protobuf:"bytes,1,opt,name=listener,proto3" json:"listener,omitempty"`
	Host          string                 `protobuf:"bytes,2,opt,name=host,proto3" json:"host,omitempty"`                           // exact, "*.example.org" or "*"
	Path          string                 `protobuf:"bytes,3,opt,name=path,proto3" json:"path,omitempty"`                           // prefix, by whole segments
	Pool          uint32                 `protobuf:"varint,4,opt,name=pool,proto3" json:"pool,omitempty"`                          // a number from pools
	Class         Class                  `protobuf:"varint,5,opt,name=class,proto3,enum=fairlead.v1.Class" json:"class,omitempty"` // of its requests, unless they say otherwise
	Labels        []string               `protobuf:"bytes,6,rep,name=labels,proto3" json:"labels,omitempty"`                       // that its requests require
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Route) Reset() {
	*x = Route{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[28]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Route) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Route) ProtoMessage() {}

func (x *Route) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[28]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Route.ProtoReflect.Descriptor instead.
func (*Route) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{28}
}

func (x *Route) GetListener() string {
	if x != nil {
		return x.Listener
	}
	return ""
}

func (x *Route) GetHost() string {
	if x != nil {
		return x.Host
	}
	return ""
}

func (x *Route) GetPath() string {
	if x != nil {
		return x.Path
	}
	return ""
}

func (x *Route) GetPool() uint32 {
	if x != nil {
		return x.Pool
	}
	return 0
}

func (x *Route) GetClass() Class {
	if x != nil {
		return x.Class
	}
	return Class_CLASS_UNSPECIFIED
}

func (x *Route) GetLabels() []string {
	if x != nil {
		return x.Labels
	}
	return nil
}

type PoolEntry struct {
	state            protoimpl.MessageState `protogen:"open.v1"`
	Number           uint32                 `protobuf:"varint,1,opt,name=number,proto3" json:"number,omitempty"` // for this session
	Name             string                 `protobuf:"bytes,2,opt,name=name,proto3" json:"name,omitempty"`
	Retries          uint32                 `protobuf:"varint,3,opt,name=retries,proto3" json:"retries,omitempty"` // asks again after a backend that cannot be reached
	ConnectTimeoutMs uint64                 `protobuf:"varint,4,opt,name=connect_timeout_ms,json=connectTimeoutMs,proto3" json:"connect_timeout_ms,omitempty"`
	Link             Link                   `protobuf:"varint,5,opt,name=link,proto3,enum=fairlead.v1.Link" json:"link,omitempty"`
	About            bool                   `protobuf:"varint,6,opt,name=about,proto3" json:"about,omitempty"`                                            // asks for this pool say what the request is
	Tickets          bool                   `protobuf:"varint,7,opt,name=tickets,proto3" json:"tickets,omitempty"`                                        // grants carry a ticket, and the proxy hands it to the backend
	Classify         *Classify              `protobuf:"bytes,8,opt,name=classify,proto3" json:"classify,omitempty"`                                       // how to tell what a request is, where about is set
	Decides          bool                   `protobuf:"varint,9,opt,name=decides,proto3" json:"decides,omitempty"`                                        // backends of this pool are sent, as proxies may decide
	Alone            bool                   `protobuf:"varint,10,opt,name=alone,proto3" json:"alone,omitempty"`                                           // backends of this pool are sent, for when no controller lives
	QueueLimit       uint64                 `protobuf:"varint,11,opt,name=queue_limit,json=queueLimit,proto3" json:"queue_limit,omitempty"`               // how many may wait at a proxy when no controller lives
	QueueTimeoutMs   uint64                 `protobuf:"varint,12,opt,name=queue_timeout_ms,json=queueTimeoutMs,proto3" json:"queue_timeout_ms,omitempty"` // and how long
	Queues           bool                   `protobuf:"varint,13,opt,name=queues,proto3" json:"queues,omitempty"`                                         // its backends have a queue of their own, so that no slots bound
	// send_proxy is the version of the PROXY protocol header with which connections to backends
	// begin: 1 or 2; 0: none, but where tickets are handed over TCP.
	SendProxy     uint32      `protobuf:"varint,14,opt,name=send_proxy,json=sendProxy,proto3" json:"send_proxy,omitempty"`
	Http2         bool        `protobuf:"varint,15,opt,name=http2,proto3" json:"http2,omitempty"` // backends are spoken to over HTTP/2
	Tls           *BackendTLS `protobuf:"bytes,16,opt,name=tls,proto3" json:"tls,omitempty"`      // missing: backends are spoken to in plain text
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *PoolEntry) Reset() {
	*x = PoolEntry{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[29]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *PoolEntry) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*PoolEntry) ProtoMessage() {}

func (x *PoolEntry) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[29]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use PoolEntry.ProtoReflect.Descriptor instead.
func (*PoolEntry) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{29}
}

func (x *PoolEntry) GetNumber() uint32 {
	if x != nil {
		return x.Number
	}
	return 0
}

func (x *PoolEntry) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *PoolEntry) GetRetries() uint32 {
	if x != nil {
		return x.Retries
	}
	return 0
}

func (x *PoolEntry) GetConnectTimeoutMs() uint64 {
	if x != nil {
		return x.ConnectTimeoutMs
	}
	return 0
}

func (x *PoolEntry) GetLink() Link {
	if x != nil {
		return x.Link
	}
	return Link_LINK_UNSPECIFIED
}

func (x *PoolEntry) GetAbout() bool {
	if x != nil {
		return x.About
	}
	return false
}

func (x *PoolEntry) GetTickets() bool {
	if x != nil {
		return x.Tickets
	}
	return false
}

func (x *PoolEntry) GetClassify() *Classify {
	if x != nil {
		return x.Classify
	}
	return nil
}

func (x *PoolEntry) GetDecides() bool {
	if x != nil {
		return x.Decides
	}
	return false
}

func (x *PoolEntry) GetAlone() bool {
	if x != nil {
		return x.Alone
	}
	return false
}

func (x *PoolEntry) GetQueueLimit() uint64 {
	if x != nil {
		return x.QueueLimit
	}
	return 0
}

func (x *PoolEntry) GetQueueTimeoutMs() uint64 {
	if x != nil {
		return x.QueueTimeoutMs
	}
	return 0
}

func (x *PoolEntry) GetQueues() bool {
	if x != nil {
		return x.Queues
	}
	return false
}

func (x *PoolEntry) GetSendProxy() uint32 {
	if x != nil {
		return x.SendProxy
	}
	return 0
}

func (x *PoolEntry) GetHttp2() bool {
	if x != nil {
		return x.Http2
	}
	return false
}

func (x *PoolEntry) GetTls() *BackendTLS {
	if x != nil {
		return x.Tls
	}
	return nil
}

// BackendTLS names files, on the proxy's host, in PEM.
type BackendTLS struct {
	state              protoimpl.MessageState `protogen:"open.v1"`
	Ca                 string                 `protobuf:"bytes,1,opt,name=ca,proto3" json:"ca,omitempty"`                                   // signs backends' certificates; empty: those that the host knows
	ServerName         string                 `protobuf:"bytes,2,opt,name=server_name,json=serverName,proto3" json:"server_name,omitempty"` // in backends' certificates; empty: the host in the backend's address
	Cert               string                 `protobuf:"bytes,3,opt,name=cert,proto3" json:"cert,omitempty"`                               // that the proxy shows, with its chain; empty: none
	Key                string                 `protobuf:"bytes,4,opt,name=key,proto3" json:"key,omitempty"`
	InsecureSkipVerify bool                   `protobuf:"varint,5,opt,name=insecure_skip_verify,json=insecureSkipVerify,proto3" json:"insecure_skip_verify,omitempty"` // backends' certificates are not checked
	unknownFields      protoimpl.UnknownFields
	sizeCache          protoimpl.SizeCache
}

func (x *BackendTLS) Reset() {
	*x = BackendTLS{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[30]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *BackendTLS) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*BackendTLS) ProtoMessage() {}

func (x *BackendTLS) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[30]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use BackendTLS.ProtoReflect.Descriptor instead.
func (*BackendTLS) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{30}
}

func (x *BackendTLS) GetCa() string {
	if x != nil {
		return x.Ca
	}
	return ""
}

func (x *BackendTLS) GetServerName() string {
	if x != nil {
		return x.ServerName
	}
	return ""
}

func (x *BackendTLS) GetCert() string {
	if x != nil {
		return x.Cert
	}
	return ""
}

func (x *BackendTLS) GetKey() string {
	if x != nil {
		return x.Key
	}
	return ""
}

func (x *BackendTLS) GetInsecureSkipVerify() bool {
	if x != nil {
		return x.InsecureSkipVerify
	}
	return false
}

// Classify says where a request's class, flow, affinity, labels and deadline are found.
// Where a source is not set, or not in the request, the default holds: class normal, the
// client's address as flow, no affinity, no labels, no deadline.
type Classify struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	ClassHeader   string                 `protobuf:"bytes,1,opt,name=class_header,json=classHeader,proto3" json:"class_header,omitempty"` // HTTP field with "critical", "normal" or "sheddable"
	Flow          *Source                `protobuf:"bytes,2,opt,name=flow,proto3" json:"flow,omitempty"`
	Affinity      *Source                `protobuf:"bytes,3,opt,name=affinity,proto3" json:"affinity,omitempty"`
	LabelHeaders  map[string]string      `protobuf:"bytes,4,rep,name=label_headers,json=labelHeaders,proto3" json:"label_headers,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"bytes,2,opt,name=value"` // HTTP field by the name of the label that it requires
	DeadlineMs    uint64                 `protobuf:"varint,5,opt,name=deadline_ms,json=deadlineMs,proto3" json:"deadline_ms,omitempty"`                                                                                // of requests that do not say; 0: none
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Classify) Reset() {
	*x = Classify{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[31]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Classify) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Classify) ProtoMessage() {}

func (x *Classify) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[31]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Classify.ProtoReflect.Descriptor instead.
func (*Classify) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{31}
}

func (x *Classify) GetClassHeader() string {
	if x != nil {
		return x.ClassHeader
	}
	return ""
}

func (x *Classify) GetFlow() *Source {
	if x != nil {
		return x.Flow
	}
	return nil
}

func (x *Classify) GetAffinity() *Source {
	if x != nil {
		return x.Affinity
	}
	return nil
}

func (x *Classify) GetLabelHeaders() map[string]string {
	if x != nil {
		return x.LabelHeaders
	}
	return nil
}

func (x *Classify) GetDeadlineMs() uint64 {
	if x != nil {
		return x.DeadlineMs
	}
	return 0
}

// Source is where in a request a key is found.
type Source struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Kind          Source_Kind            `protobuf:"varint,1,opt,name=kind,proto3,enum=fairlead.v1.Source_Kind" json:"kind,omitempty"`
	Name          string                 `protobuf:"bytes,2,opt,name=name,proto3" json:"name,omitempty"` // of the header, cookie or claim
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Source) Reset() {
	*x = Source{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[32]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Source) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Source) ProtoMessage() {}

func (x *Source) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[32]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Source.ProtoReflect.Descriptor instead.
func (*Source) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{32}
}

func (x *Source) GetKind() Source_Kind {
	if x != nil {
		return x.Kind
	}
	return Source_KIND_UNSPECIFIED
}

func (x *Source) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

// Grant lets one request run on one backend.
type Grant struct {
	state   protoimpl.MessageState `protogen:"open.v1"`
	Ask     uint64                 `protobuf:"varint,1,opt,name=ask,proto3" json:"ask,omitempty"`
	Id      *GrantID               `protobuf:"bytes,2,opt,name=id,proto3" json:"id,omitempty"`
	Backend string                 `protobuf:"bytes,3,opt,name=backend,proto3" json:"backend,omitempty"`                 // the selected backend's identifier: its address
	LimitMs uint64                 `protobuf:"varint,4,opt,name=limit_ms,json=limitMs,proto3" json:"limit_ms,omitempty"` // from now, then the link is cut; 0: none
	Pool    uint32                 `protobuf:"varint,5,opt,name=pool,proto3" json:"pool,omitempty"`                      // a number from the table
	Ticket  string                 `protobuf:"bytes,6,opt,name=ticket,proto3" json:"ticket,omitempty"`                   // where the pool has tickets
	// public is where clients reach the backend, for direct links: "host:port", or a URL's
	// beginning such as "https://host:port".
	Public        string `protobuf:"bytes,7,opt,name=public,proto3" json:"public,omitempty"`
	TicketMs      uint64 `protobuf:"varint,8,opt,name=ticket_ms,json=ticketMs,proto3" json:"ticket_ms,omitempty"` // how long the ticket is good, from now
	Moved         bool   `protobuf:"varint,9,opt,name=moved,proto3" json:"moved,omitempty"`                       // the backend that the ask's affinity names was not free, so it is another
	KeepMs        uint64 `protobuf:"varint,10,opt,name=keep_ms,json=keepMs,proto3" json:"keep_ms,omitempty"`      // how long its slot may be kept unused when the request is over; 0: not at all
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Grant) Reset() {
	*x = Grant{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[33]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Grant) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Grant) ProtoMessage() {}

func (x *Grant) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[33]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Grant.ProtoReflect.Descriptor instead.
func (*Grant) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{33}
}

func (x *Grant) GetAsk() uint64 {
	if x != nil {
		return x.Ask
	}
	return 0
}

func (x *Grant) GetId() *GrantID {
	if x != nil {
		return x.Id
	}
	return nil
}

func (x *Grant) GetBackend() string {
	if x != nil {
		return x.Backend
	}
	return ""
}

func (x *Grant) GetLimitMs() uint64 {
	if x != nil {
		return x.LimitMs
	}
	return 0
}

func (x *Grant) GetPool() uint32 {
	if x != nil {
		return x.Pool
	}
	return 0
}

func (x *Grant) GetTicket() string {
	if x != nil {
		return x.Ticket
	}
	return ""
}

func (x *Grant) GetPublic() string {
	if x != nil {
		return x.Public
	}
	return ""
}

func (x *Grant) GetTicketMs() uint64 {
	if x != nil {
		return x.TicketMs
	}
	return 0
}

func (x *Grant) GetMoved() bool {
	if x != nil {
		return x.Moved
	}
	return false
}

func (x *Grant) GetKeepMs() uint64 {
	if x != nil {
		return x.KeepMs
	}
	return 0
}

// Revoke tells a proxy to cut a link, or an agent that a grant will not be used, or must
// not be any longer.
type Revoke struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Grant         *GrantID               `protobuf:"bytes,1,opt,name=grant,proto3" json:"grant,omitempty"`
	Reason        Reason                 `protobuf:"varint,2,opt,name=reason,proto3,enum=fairlead.v1.Reason" json:"reason,omitempty"`
	Uses          uint32                 `protobuf:"varint,3,opt,name=uses,proto3" json:"uses,omitempty"` // of a slot that was used again since, the revoke is void
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Revoke) Reset() {
	*x = Revoke{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[34]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Revoke) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Revoke) ProtoMessage() {}

func (x *Revoke) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[34]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Revoke.ProtoReflect.Descriptor instead.
func (*Revoke) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{34}
}

func (x *Revoke) GetGrant() *GrantID {
	if x != nil {
		return x.Grant
	}
	return nil
}

func (x *Revoke) GetReason() Reason {
	if x != nil {
		return x.Reason
	}
	return Reason_REASON_UNSPECIFIED
}

func (x *Revoke) GetUses() uint32 {
	if x != nil {
		return x.Uses
	}
	return 0
}

// Refusal answers an ask with no.
type Refusal struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Ask           uint64                 `protobuf:"varint,1,opt,name=ask,proto3" json:"ask,omitempty"`
	Reason        Reason                 `protobuf:"varint,2,opt,name=reason,proto3,enum=fairlead.v1.Reason" json:"reason,omitempty"`
	RetryAfterMs  uint64                 `protobuf:"varint,3,opt,name=retry_after_ms,json=retryAfterMs,proto3" json:"retry_after_ms,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Refusal) Reset() {
	*x = Refusal{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[35]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Refusal) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Refusal) ProtoMessage() {}

func (x *Refusal) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[35]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Refusal.ProtoReflect.Descriptor instead.
func (*Refusal) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{35}
}

func (x *Refusal) GetAsk() uint64 {
	if x != nil {
		return x.Ask
	}
	return 0
}

func (x *Refusal) GetReason() Reason {
	if x != nil {
		return x.Reason
	}
	return Reason_REASON_UNSPECIFIED
}

func (x *Refusal) GetRetryAfterMs() uint64 {
	if x != nil {
		return x.RetryAfterMs
	}
	return 0
}

// AgentMessage is what an agent sends.
type AgentMessage struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Hello         *AgentHello            `protobuf:"bytes,1,opt,name=hello,proto3" json:"hello,omitempty"` // in the first message only, alone
	Report        *OrcaLoadReport        `protobuf:"bytes,2,opt,name=report,proto3" json:"report,omitempty"`
	Drain         bool                   `protobuf:"varint,3,opt,name=drain,proto3" json:"drain,omitempty"`      // stop new grants; the agent leaves when state says drained
	Answers       []*Answer              `protobuf:"bytes,4,rep,name=answers,proto3" json:"answers,omitempty"`   // to assignments
	Arrivals      []*GrantID             `protobuf:"bytes,5,rep,name=arrivals,proto3" json:"arrivals,omitempty"` // direct grants whose ticket was used
	Dones         []*Done                `protobuf:"bytes,6,rep,name=dones,proto3" json:"dones,omitempty"`       // direct grants that are over; pool is not read
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *AgentMessage) Reset() {
	*x = AgentMessage{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[36]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *AgentMessage) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*AgentMessage) ProtoMessage() {}

func (x *AgentMessage) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[36]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use AgentMessage.ProtoReflect.Descriptor instead.
func (*AgentMessage) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{36}
}

func (x *AgentMessage) GetHello() *AgentHello {
	if x != nil {
		return x.Hello
	}
	return nil
}

func (x *AgentMessage) GetReport() *OrcaLoadReport {
	if x != nil {
		return x.Report
	}
	return nil
}

func (x *AgentMessage) GetDrain() bool {
	if x != nil {
		return x.Drain
	}
	return false
}

func (x *AgentMessage) GetAnswers() []*Answer {
	if x != nil {
		return x.Answers
	}
	return nil
}

func (x *AgentMessage) GetArrivals() []*GrantID {
	if x != nil {
		return x.Arrivals
	}
	return nil
}

func (x *AgentMessage) GetDones() []*Done {
	if x != nil {
		return x.Dones
	}
	return nil
}

// Answer is an agent's word on an assignment. It is sent where confirm is set.
type Answer struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Grant         *GrantID               `protobuf:"bytes,1,opt,name=grant,proto3" json:"grant,omitempty"`
	Rejection     Rejection              `protobuf:"varint,2,opt,name=rejection,proto3,enum=fairlead.v1.Rejection" json:"rejection,omitempty"` // unspecified: accepted
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Answer) Reset() {
	*x = Answer{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[37]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Answer) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Answer) ProtoMessage() {}

func (x *Answer) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[37]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Answer.ProtoReflect.Descriptor instead.
func (*Answer) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{37}
}

func (x *Answer) GetGrant() *GrantID {
	if x != nil {
		return x.Grant
	}
	return nil
}

func (x *Answer) GetRejection() Rejection {
	if x != nil {
		return x.Rejection
	}
	return Rejection_REJECTION_UNSPECIFIED
}

type AgentHello struct {
	state    protoimpl.MessageState `protogen:"open.v1"`
	Versions *Versions              `protobuf:"bytes,1,opt,name=versions,proto3" json:"versions,omitempty"`
	Pool     string                 `protobuf:"bytes,2,opt,name=pool,proto3" json:"pool,omitempty"`
	Address  string                 `protobuf:"bytes,3,opt,name=address,proto3" json:"address,omitempty"` // where proxies reach the backend, its identifier
	Slots    uint32                 `protobuf:"varint,4,opt,name=slots,proto3" json:"slots,omitempty"`    // 0: as the pool says
	Zone     string                 `protobuf:"bytes,5,opt,name=zone,proto3" json:"zone,omitempty"`
	Instance string                 `protobuf:"bytes,6,opt,name=instance,proto3" json:"instance,omitempty"` // random, made when the process starts
	Software string                 `protobuf:"bytes,7,opt,name=software,proto3" json:"software,omitempty"`
	// public is where clients reach the backend, for direct links: "host:port" or
	// "http://host:port" or "https://host:port"; empty: as the config says, else address.
	Public        string       `protobuf:"bytes,8,opt,name=public,proto3" json:"public,omitempty"`
	Assignments   bool         `protobuf:"varint,9,opt,name=assignments,proto3" json:"assignments,omitempty"` // understands assignments; without it none are sent
	Direct        bool         `protobuf:"varint,10,opt,name=direct,proto3" json:"direct,omitempty"`          // checks tickets, and says arrivals and dones
	Live          []*LiveGrant `protobuf:"bytes,11,rep,name=live,proto3" json:"live,omitempty"`               // direct grants that still run
	Workers       uint32       `protobuf:"varint,12,opt,name=workers,proto3" json:"workers,omitempty"`        // as slots, in a pool whose backends have a queue of their own
	Labels        []string     `protobuf:"bytes,13,rep,name=labels,proto3" json:"labels,omitempty"`           // "name=value"
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *AgentHello) Reset() {
	*x = AgentHello{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[38]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *AgentHello) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*AgentHello) ProtoMessage() {}

func (x *AgentHello) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[38]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use AgentHello.ProtoReflect.Descriptor instead.
func (*AgentHello) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{38}
}

func (x *AgentHello) GetVersions() *Versions {
	if x != nil {
		return x.Versions
	}
	return nil
}

func (x *AgentHello) GetPool() string {
	if x != nil {
		return x.Pool
	}
	return ""
}

func (x *AgentHello) GetAddress() string {
	if x != nil {
		return x.Address
	}
	return ""
}

func (x *AgentHello) GetSlots() uint32 {
	if x != nil {
		return x.Slots
	}
	return 0
}

func (x *AgentHello) GetZone() string {
	if x != nil {
		return x.Zone
	}
	return ""
}

func (x *AgentHello) GetInstance() string {
	if x != nil {
		return x.Instance
	}
	return ""
}

func (x *AgentHello) GetSoftware() string {
	if x != nil {
		return x.Software
	}
	return ""
}

func (x *AgentHello) GetPublic() string {
	if x != nil {
		return x.Public
	}
	return ""
}

func (x *AgentHello) GetAssignments() bool {
	if x != nil {
		return x.Assignments
	}
	return false
}

func (x *AgentHello) GetDirect() bool {
	if x != nil {
		return x.Direct
	}
	return false
}

func (x *AgentHello) GetLive() []*LiveGrant {
	if x != nil {
		return x.Live
	}
	return nil
}

func (x *AgentHello) GetWorkers() uint32 {
	if x != nil {
		return x.Workers
	}
	return 0
}

func (x *AgentHello) GetLabels() []string {
	if x != nil {
		return x.Labels
	}
	return nil
}

// OrcaLoadReport has the fields and numbers of xds.data.orca.v3.OrcaLoadReport (Open
// Request Cost Aggregation), so that the bytes of one are the bytes of the other.
//
// Fairlead reads two names in named_metrics: "in_flight", requests that the backend has
// in hand from wherever they came, and "load1", its run queue over the last minute.
type OrcaLoadReport struct {
	state                  protoimpl.MessageState `protogen:"open.v1"`
	CpuUtilization         float64                `protobuf:"fixed64,1,opt,name=cpu_utilization,json=cpuUtilization,proto3" json:"cpu_utilization,omitempty"` // 1 is all of the host
	MemUtilization         float64                `protobuf:"fixed64,2,opt,name=mem_utilization,json=memUtilization,proto3" json:"mem_utilization,omitempty"` // 0 to 1
	Rps                    uint64                 `protobuf:"varint,3,opt,name=rps,proto3" json:"rps,omitempty"`                                              // outdated in ORCA; read when rps_fractional is 0
	RequestCost            map[string]float64     `protobuf:"bytes,4,rep,name=request_cost,json=requestCost,proto3" json:"request_cost,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"fixed64,2,opt,name=value"`
	Utilization            map[string]float64     `protobuf:"bytes,5,rep,name=utilization,proto3" json:"utilization,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"fixed64,2,opt,name=value"` // 0 to 1, by resource
	RpsFractional          float64                `protobuf:"fixed64,6,opt,name=rps_fractional,json=rpsFractional,proto3" json:"rps_fractional,omitempty"`
	Eps                    float64                `protobuf:"fixed64,7,opt,name=eps,proto3" json:"eps,omitempty"` // errors a second
	NamedMetrics           map[string]float64     `protobuf:"bytes,8,rep,name=named_metrics,json=namedMetrics,proto3" json:"named_metrics,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"fixed64,2,opt,name=value"`
	ApplicationUtilization float64                `protobuf:"fixed64,9,opt,name=application_utilization,json=applicationUtilization,proto3" json:"application_utilization,omitempty"` // 1 is all that it can do
	unknownFields          protoimpl.UnknownFields
	sizeCache              protoimpl.SizeCache
}

func (x *OrcaLoadReport) Reset() {
	*x = OrcaLoadReport{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[39]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *OrcaLoadReport) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*OrcaLoadReport) ProtoMessage() {}

func (x *OrcaLoadReport) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[39]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use OrcaLoadReport.ProtoReflect.Descriptor instead.
func (*OrcaLoadReport) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{39}
}

func (x *OrcaLoadReport) GetCpuUtilization() float64 {
	if x != nil {
		return x.CpuUtilization
	}
	return 0
}

func (x *OrcaLoadReport) GetMemUtilization() float64 {
	if x != nil {
		return x.MemUtilization
	}
	return 0
}

func (x *OrcaLoadReport) GetRps() uint64 {
	if x != nil {
		return x.Rps
	}
	return 0
}

func (x *OrcaLoadReport) GetRequestCost() map[string]float64 {
	if x != nil {
		return x.RequestCost
	}
	return nil
}

func (x *OrcaLoadReport) GetUtilization() map[string]float64 {
	if x != nil {
		return x.Utilization
	}
	return nil
}

func (x *OrcaLoadReport) GetRpsFractional() float64 {
	if x != nil {
		return x.RpsFractional
	}
	return 0
}

func (x *OrcaLoadReport) GetEps() float64 {
	if x != nil {
		return x.Eps
	}
	return 0
}

func (x *OrcaLoadReport) GetNamedMetrics() map[string]float64 {
	if x != nil {
		return x.NamedMetrics
	}
	return nil
}

func (x *OrcaLoadReport) GetApplicationUtilization() float64 {
	if x != nil {
		return x.ApplicationUtilization
	}
	return 0
}

// BackendMessage is what an agent receives.
type BackendMessage struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Welcome       *BackendWelcome        `protobuf:"bytes,1,opt,name=welcome,proto3" json:"welcome,omitempty"` // in the first message only
	State         *BackendState          `protobuf:"bytes,2,opt,name=state,proto3" json:"state,omitempty"`
	Assignments   []*Assignment          `protobuf:"bytes,3,rep,name=assignments,proto3" json:"assignments,omitempty"`
	Revokes       []*Revoke              `protobuf:"bytes,4,rep,name=revokes,proto3" json:"revokes,omitempty"` // of assignments in this message too
	Keys          *Keys                  `protobuf:"bytes,5,opt,name=keys,proto3" json:"keys,omitempty"`       // replaces the last ones
	Epoch         uint64                 `protobuf:"varint,6,opt,name=epoch,proto3" json:"epoch,omitempty"`    // the controller leads the pool from now on: grants of an earlier epoch are void
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *BackendMessage) Reset() {
	*x = BackendMessage{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[40]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *BackendMessage) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*BackendMessage) ProtoMessage() {}

func (x *BackendMessage) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[40]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use BackendMessage.ProtoReflect.Descriptor instead.
func (*BackendMessage) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{40}
}

func (x *BackendMessage) GetWelcome() *BackendWelcome {
	if x != nil {
		return x.Welcome
	}
	return nil
}

func (x *BackendMessage) GetState() *BackendState {
	if x != nil {
		return x.State
	}
	return nil
}

func (x *BackendMessage) GetAssignments() []*Assignment {
	if x != nil {
		return x.Assignments
	}
	return nil
}

func (x *BackendMessage) GetRevokes() []*Revoke {
	if x != nil {
		return x.Revokes
	}
	return nil
}

func (x *BackendMessage) GetKeys() *Keys {
	if x != nil {
		return x.Keys
	}
	return nil
}

func (x *BackendMessage) GetEpoch() uint64 {
	if x != nil {
		return x.Epoch
	}
	return 0
}

type BackendWelcome struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Version       uint32                 `protobuf:"varint,1,opt,name=version,proto3" json:"version,omitempty"`
	Software      string                 `protobuf:"bytes,2,opt,name=software,proto3" json:"software,omitempty"`
	Epoch         uint64                 `protobuf:"varint,3,opt,name=epoch,proto3" json:"epoch,omitempty"` // of the pool, if the controller leads it; grants of an earlier one are void
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *BackendWelcome) Reset() {
	*x = BackendWelcome{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[41]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *BackendWelcome) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*BackendWelcome) ProtoMessage() {}

func (x *BackendWelcome) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[41]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use BackendWelcome.ProtoReflect.Descriptor instead.
func (*BackendWelcome) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{41}
}

func (x *BackendWelcome) GetVersion() uint32 {
	if x != nil {
		return x.Version
	}
	return 0
}

func (x *BackendWelcome) GetSoftware() string {
	if x != nil {
		return x.Software
	}
	return ""
}

func (x *BackendWelcome) GetEpoch() uint64 {
	if x != nil {
		return x.Epoch
	}
	return 0
}

// Assignment tells a backend that a grant names it: do this processing.
type Assignment struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Grant         *GrantID               `protobuf:"bytes,1,opt,name=grant,proto3" json:"grant,omitempty"`
	Proxy         string                 `protobuf:"bytes,2,opt,name=proxy,proto3" json:"proxy,omitempty"`                     // the name of the proxy that asked
	About         *About                 `protobuf:"bytes,3,opt,name=about,proto3" json:"about,omitempty"`                     // what the request is
	LimitMs       uint64                 `protobuf:"varint,4,opt,name=limit_ms,json=limitMs,proto3" json:"limit_ms,omitempty"` // how long the request may run; 0: any time
	Confirm       bool                   `protobuf:"varint,5,opt,name=confirm,proto3" json:"confirm,omitempty"`                // an Answer is awaited
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Assignment) Reset() {
	*x = Assignment{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[42]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Assignment) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Assignment) ProtoMessage() {}

func (x *Assignment) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[42]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Assignment.ProtoReflect.Descriptor instead.
func (*Assignment) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{42}
}

func (x *Assignment) GetGrant() *GrantID {
	if x != nil {
		return x.Grant
	}
	return nil
}

func (x *Assignment) GetProxy() string {
	if x != nil {
		return x.Proxy
	}
	return ""
}

func (x *Assignment) GetAbout() *About {
	if x != nil {
		return x.About
	}
	return nil
}

func (x *Assignment) GetLimitMs() uint64 {
	if x != nil {
		return x.LimitMs
	}
	return 0
}

func (x *Assignment) GetConfirm() bool {
	if x != nil {
		return x.Confirm
	}
	return false
}

// Keys are those that tickets are checked with.
type Keys struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Keys          []*Key                 `protobuf:"bytes,1,rep,name=keys,proto3" json:"keys,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Keys) Reset() {
	*x = Keys{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[43]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Keys) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Keys) ProtoMessage() {}

func (x *Keys) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[43]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Keys.ProtoReflect.Descriptor instead.
func (*Keys) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{43}
}

func (x *Keys) GetKeys() []*Key {
	if x != nil {
		return x.Keys
	}
	return nil
}

// Key is one public key.
type Key struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Id            string                 `protobuf:"bytes,1,opt,name=id,proto3" json:"id,omitempty"`         // as in a ticket's header, kid
	Public        []byte                 `protobuf:"bytes,2,opt,name=public,proto3" json:"public,omitempty"` // Ed25519, 32 bytes
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Key) Reset() {
	*x = Key{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[44]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Key) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Key) ProtoMessage() {}

func (x *Key) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[44]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Key.ProtoReflect.Descriptor instead.
func (*Key) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{44}
}

func (x *Key) GetId() string {
	if x != nil {
		return x.Id
	}
	return ""
}

func (x *Key) GetPublic() []byte {
	if x != nil {
		return x.Public
	}
	return nil
}

// BackendState is what the controller thinks of the agent's backend, on change.
type BackendState struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Slots         uint32                 `protobuf:"varint,1,opt,name=slots,proto3" json:"slots,omitempty"`
	Draining      bool                   `protobuf:"varint,2,opt,name=draining,proto3" json:"draining,omitempty"`
	Drained       bool                   `protobuf:"varint,3,opt,name=drained,proto3" json:"drained,omitempty"` // draining, and nothing in flight
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *BackendState) Reset() {
	*x = BackendState{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[45]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *BackendState) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*BackendState) ProtoMessage() {}

func (x *BackendState) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[45]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use BackendState.ProtoReflect.Descriptor instead.
func (*BackendState) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{45}
}

func (x *BackendState) GetSlots() uint32 {
	if x != nil {
		return x.Slots
	}
	return 0
}

func (x *BackendState) GetDraining() bool {
	if x != nil {
		return x.Draining
	}
	return false
}

func (x *BackendState) GetDrained() bool {
	if x != nil {
		return x.Drained
	}
	return false
}

type ChooseRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Listener      string                 `protobuf:"bytes,1,opt,name=listener,proto3" json:"listener,omitempty"`
	Client        string                 `protobuf:"bytes,2,opt,name=client,proto3" json:"client,omitempty"`   // IP address, for its zone; empty: the caller's
	Exclude       []string               `protobuf:"bytes,3,rep,name=exclude,proto3" json:"exclude,omitempty"` // names of proxies that failed
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ChooseRequest) Reset() {
	*x = ChooseRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[46]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ChooseRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ChooseRequest) ProtoMessage() {}

func (x *ChooseRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[46]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ChooseRequest.ProtoReflect.Descriptor instead.
func (*ChooseRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{46}
}

func (x *ChooseRequest) GetListener() string {
	if x != nil {
		return x.Listener
	}
	return ""
}

func (x *ChooseRequest) GetClient() string {
	if x != nil {
		return x.Client
	}
	return ""
}

func (x *ChooseRequest) GetExclude() []string {
	if x != nil {
		return x.Exclude
	}
	return nil
}

// ChooseResponse names proxies that serve the listener, best first: the best one, and
// those whose load is close to its.
type ChooseResponse struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Proxies       []*ChosenProxy         `protobuf:"bytes,1,rep,name=proxies,proto3" json:"proxies,omitempty"`
	TtlMs         uint64                 `protobuf:"varint,2,opt,name=ttl_ms,json=ttlMs,proto3" json:"ttl_ms,omitempty"` // how long to remember the answer
	Protocol      Protocol               `protobuf:"varint,3,opt,name=protocol,proto3,enum=fairlead.v1.Protocol" json:"protocol,omitempty"`
	Link          Link                   `protobuf:"varint,4,opt,name=link,proto3,enum=fairlead.v1.Link" json:"link,omitempty"` // of a TCP listener's pool
	Zone          string                 `protobuf:"bytes,5,opt,name=zone,proto3" json:"zone,omitempty"`                        // that the client was taken to be in
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ChooseResponse) Reset() {
	*x = ChooseResponse{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[47]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ChooseResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ChooseResponse) ProtoMessage() {}

func (x *ChooseResponse) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[47]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ChooseResponse.ProtoReflect.Descriptor instead.
func (*ChooseResponse) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{47}
}

func (x *ChooseResponse) GetProxies() []*ChosenProxy {
	if x != nil {
		return x.Proxies
	}
	return nil
}

func (x *ChooseResponse) GetTtlMs() uint64 {
	if x != nil {
		return x.TtlMs
	}
	return 0
}

func (x *ChooseResponse) GetProtocol() Protocol {
	if x != nil {
		return x.Protocol
	}
	return Protocol_PROTOCOL_UNSPECIFIED
}

func (x *ChooseResponse) GetLink() Link {
	if x != nil {
		return x.Link
	}
	return Link_LINK_UNSPECIFIED
}

func (x *ChooseResponse) GetZone() string {
	if x != nil {
		return x.Zone
	}
	return ""
}

type ChosenProxy struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Name          string                 `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
	Address       string                 `protobuf:"bytes,2,opt,name=address,proto3" json:"address,omitempty"` // host:port
	Zone          string                 `protobuf:"bytes,3,opt,name=zone,proto3" json:"zone,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ChosenProxy) Reset() {
	*x = ChosenProxy{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[48]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ChosenProxy) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ChosenProxy) ProtoMessage() {}

func (x *ChosenProxy) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[48]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ChosenProxy.ProtoReflect.Descriptor instead.
func (*ChosenProxy) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{48}
}

func (x *ChosenProxy) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *ChosenProxy) GetAddress() string {
	if x != nil {
		return x.Address
	}
	return ""
}

func (x *ChosenProxy) GetZone() string {
	if x != nil {
		return x.Zone
	}
	return ""
}

type GetSnapshotRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *GetSnapshotRequest) Reset() {
	*x = GetSnapshotRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[49]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *GetSnapshotRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*GetSnapshotRequest) ProtoMessage() {}

func (x *GetSnapshotRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[49]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use GetSnapshotRequest.ProtoReflect.Descriptor instead.
func (*GetSnapshotRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{49}
}

type WatchRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	IntervalMs    uint64                 `protobuf:"varint,1,opt,name=interval_ms,json=intervalMs,proto3" json:"interval_ms,omitempty"` // between snapshots; 0: 1000; at least 100
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *WatchRequest) Reset() {
	*x = WatchRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[50]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *WatchRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*WatchRequest) ProtoMessage() {}

func (x *WatchRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[50]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use WatchRequest.ProtoReflect.Descriptor instead.
func (*WatchRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{50}
}

func (x *WatchRequest) GetIntervalMs() uint64 {
	if x != nil {
		return x.IntervalMs
	}
	return 0
}

// Snapshot is the controller's knowledge at one moment.
type Snapshot struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Software      string                 `protobuf:"bytes,1,opt,name=software,proto3" json:"software,omitempty"`
	Epoch         uint64                 `protobuf:"varint,2,opt,name=epoch,proto3" json:"epoch,omitempty"`
	TakenUnixMs   int64                  `protobuf:"varint,3,opt,name=taken_unix_ms,json=takenUnixMs,proto3" json:"taken_unix_ms,omitempty"`
	UptimeMs      uint64                 `protobuf:"varint,4,opt,name=uptime_ms,json=uptimeMs,proto3" json:"uptime_ms,omitempty"`
	Pools         []*PoolStatus          `protobuf:"bytes,5,rep,name=pools,proto3" json:"pools,omitempty"`
	Proxies       []*ProxyStanding       `protobuf:"bytes,6,rep,name=proxies,proto3" json:"proxies,omitempty"`
	Listeners     []*Listener            `protobuf:"bytes,7,rep,name=listeners,proto3" json:"listeners,omitempty"`
	Controllers   []*ControllerStanding  `protobuf:"bytes,8,rep,name=controllers,proto3" json:"controllers,omitempty"`                          // that live; none: this one has no store
	ConfigProblem string                 `protobuf:"bytes,9,opt,name=config_problem,json=configProblem,proto3" json:"config_problem,omitempty"` // why the last good config is in force, not the file
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Snapshot) Reset() {
	*x = Snapshot{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[51]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Snapshot) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Snapshot) ProtoMessage() {}

func (x *Snapshot) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[51]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Snapshot.ProtoReflect.Descriptor instead.
func (*Snapshot) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{51}
}

func (x *Snapshot) GetSoftware() string {
	if x != nil {
		return x.Software
	}
	return ""
}

func (x *Snapshot) GetEpoch() uint64 {
	if x != nil {
		return x.Epoch
	}
	return 0
}

func (x *Snapshot) GetTakenUnixMs() int64 {
	if x != nil {
		return x.TakenUnixMs
	}
	return 0
}

func (x *Snapshot) GetUptimeMs() uint64 {
	if x != nil {
		return x.UptimeMs
	}
	return 0
}

func (x *Snapshot) GetPools() []*PoolStatus {
	if x != nil {
		return x.Pools
	}
	return nil
}

func (x *Snapshot) GetProxies() []*ProxyStanding {
	if x != nil {
		return x.Proxies
	}
	return nil
}

func (x *Snapshot) GetListeners() []*Listener {
	if x != nil {
		return x.Listeners
	}
	return nil
}

func (x *Snapshot) GetControllers() []*ControllerStanding {
	if x != nil {
		return x.Controllers
	}
	return nil
}

func (x *Snapshot) GetConfigProblem() string {
	if x != nil {
		return x.ConfigProblem
	}
	return ""
}

// ControllerStanding is one controller of a cluster.
type ControllerStanding struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Name          string                 `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
	Address       string                 `protobuf:"bytes,2,opt,name=address,proto3" json:"address,omitempty"`
	Leads         uint32                 `protobuf:"varint,3,opt,name=leads,proto3" json:"leads,omitempty"` // pools
	Here          bool                   `protobuf:"varint,4,opt,name=here,proto3" json:"here,omitempty"`   // it says this
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ControllerStanding) Reset() {
	*x = ControllerStanding{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[52]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ControllerStanding) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ControllerStanding) ProtoMessage() {}

func (x *ControllerStanding) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[52]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ControllerStanding.ProtoReflect.Descriptor instead.
func (*ControllerStanding) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{52}
}

func (x *ControllerStanding) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *ControllerStanding) GetAddress() string {
	if x != nil {
		return x.Address
	}
	return ""
}

func (x *ControllerStanding) GetLeads() uint32 {
	if x != nil {
		return x.Leads
	}
	return 0
}

func (x *ControllerStanding) GetHere() bool {
	if x != nil {
		return x.Here
	}
	return false
}

type PoolStatus struct {
	state              protoimpl.MessageState `protogen:"open.v1"`
	Name               string                 `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
	Backends           []*BackendStatus       `protobuf:"bytes,2,rep,name=backends,proto3" json:"backends,omitempty"`
	Slots              uint32                 `protobuf:"varint,3,opt,name=slots,proto3" json:"slots,omitempty"` // of backends that take grants
	InFlight           uint32                 `protobuf:"varint,4,opt,name=in_flight,json=inFlight,proto3" json:"in_flight,omitempty"`
	Queue              uint32                 `protobuf:"varint,5,opt,name=queue,proto3" json:"queue,omitempty"` // asks waiting
	QueueLimit         uint32                 `protobuf:"varint,6,opt,name=queue_limit,json=queueLimit,proto3" json:"queue_limit,omitempty"`
	QueueTimeoutMs     uint64                 `protobuf:"varint,7,opt,name=queue_timeout_ms,json=queueTimeoutMs,proto3" json:"queue_timeout_ms,omitempty"`
	Asks               uint64                 `protobuf:"varint,8,opt,name=asks,proto3" json:"asks,omitempty"` // total, as are the next four
	Grants             uint64                 `protobuf:"varint,9,opt,name=grants,proto3" json:"grants,omitempty"`
	Dones              uint64                 `protobuf:"varint,10,opt,name=dones,proto3" json:"dones,omitempty"`
	Withdrawn          uint64                 `protobuf:"varint,11,opt,name=withdrawn,proto3" json:"withdrawn,omitempty"`
	Refused            map[string]uint64      `protobuf:"bytes,12,rep,name=refused,proto3" json:"refused,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"varint,2,opt,name=value"` // by reason
	DecisionsPerSecond float64                `protobuf:"fixed64,13,opt,name=decisions_per_second,json=decisionsPerSecond,proto3" json:"decisions_per_second,omitempty"`                        // grants and refusals, over the last second
	Link               string                 `protobuf:"bytes,16,opt,name=link,proto3" json:"link,omitempty"`                                                                                  // "proxied" or "direct"
	Assign             string                 `protobuf:"bytes,17,opt,name=assign,proto3" json:"assign,omitempty"`                                                                              // "none", "notify" or "confirm"
	Prefer             string                 `protobuf:"bytes,18,opt,name=prefer,proto3" json:"prefer,omitempty"`                                                                              // "none" or "zone"
	WaitMs             float64                `protobuf:"fixed64,14,opt,name=wait_ms,json=waitMs,proto3" json:"wait_ms,omitempty"`                                                              // mean wait in queue, over the last second's grants
	OldestWaitMs       uint64                 `protobuf:"varint,15,opt,name=oldest_wait_ms,json=oldestWaitMs,proto3" json:"oldest_wait_ms,omitempty"`                                           // of the ask that waits longest, now
	Workers            uint32                 `protobuf:"varint,19,opt,name=workers,proto3" json:"workers,omitempty"`                                                                           // of a backend that does not say, as learnt or declared; 0: slots bound
	QueueByClass       map[string]uint32      `protobuf:"bytes,20,rep,name=queue_by_class,json=queueByClass,proto3" json:"queue_by_class,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"varint,2,opt,name=value"`
	Decide             string                 `protobuf:"bytes,21,opt,name=decide,proto3" json:"decide,omitempty"`                                    // "controller", "proxy" or "auto"
	ByProxies          bool                   `protobuf:"varint,22,opt,name=by_proxies,json=byProxies,proto3" json:"by_proxies,omitempty"`            // proxies decide now
	Moved              uint64                 `protobuf:"varint,23,opt,name=moved,proto3" json:"moved,omitempty"`                                     // grants of requests with affinity that went elsewhere, total
	Kept               uint32                 `protobuf:"varint,24,opt,name=kept,proto3" json:"kept,omitempty"`                                       // slots that proxies keep, with no request on them
	Uses               uint64                 `protobuf:"varint,25,opt,name=uses,proto3" json:"uses,omitempty"`                                       // of grants: on slots that their proxy had kept
	Learning           bool                   `protobuf:"varint,26,opt,name=learning,proto3" json:"learning,omitempty"`                               // nothing is granted before all proxies are back
	Ejected            uint64                 `protobuf:"varint,27,opt,name=ejected,proto3" json:"ejected,omitempty"`                                 // backends, for errors in a row, total
	Unused             uint64                 `protobuf:"varint,28,opt,name=unused,proto3" json:"unused,omitempty"`                                   // of dones: given back without a request
	Leader             string                 `protobuf:"bytes,29,opt,name=leader,proto3" json:"leader,omitempty"`                                    // name of the controller that leads the pool; empty: none
	LeaderAddress      string                 `protobuf:"bytes,30,opt,name=leader_address,json=leaderAddress,proto3" json:"leader_address,omitempty"` // where that one is
	Epoch              uint64                 `protobuf:"varint,31,opt,name=epoch,proto3" json:"epoch,omitempty"`                                     // of its term
	LedHere            bool                   `protobuf:"varint,32,opt,name=led_here,json=ledHere,proto3" json:"led_here,omitempty"`                  // by the controller that says this; else it knows only backends' load
	unknownFields      protoimpl.UnknownFields
	sizeCache          protoimpl.SizeCache
}

func (x *PoolStatus) Reset() {
	*x = PoolStatus{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[53]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *PoolStatus) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*PoolStatus) ProtoMessage() {}

func (x *PoolStatus) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[53]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use PoolStatus.ProtoReflect.Descriptor instead.
func (*PoolStatus) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{53}
}

func (x *PoolStatus) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *PoolStatus) GetBackends() []*BackendStatus {
	if x != nil {
		return x.Backends
	}
	return nil
}

func (x *PoolStatus) GetSlots() uint32 {
	if x != nil {
		return x.Slots
	}
	return 0
}

func (x *PoolStatus) GetInFlight() uint32 {
	if x != nil {
		return x.InFlight
	}
	return 0
}

func (x *PoolStatus) GetQueue() uint32 {
	if x != nil {
		return x.Queue
	}
	return 0
}

func (x *PoolStatus) GetQueueLimit() uint32 {
	if x != nil {
		return x.QueueLimit
	}
	return 0
}

func (x *PoolStatus) GetQueueTimeoutMs() uint64 {
	if x != nil {
		return x.QueueTimeoutMs
	}
	return 0
}

func (x *PoolStatus) GetAsks() uint64 {
	if x != nil {
		return x.Asks
	}
	return 0
}

func (x *PoolStatus) GetGrants() uint64 {
	if x != nil {
		return x.Grants
	}
	return 0
}

func (x *PoolStatus) GetDones() uint64 {
	if x != nil {
		return x.Dones
	}
	return 0
}

func (x *PoolStatus) GetWithdrawn() uint64 {
	if x != nil {
		return x.Withdrawn
	}
	return 0
}

func (x *PoolStatus) GetRefused() map[string]uint64 {
	if x != nil {
		return x.Refused
	}
	return nil
}

func (x *PoolStatus) GetDecisionsPerSecond() float64 {
	if x != nil {
		return x.DecisionsPerSecond
	}
	return 0
}

func (x *PoolStatus) GetLink() string {
	if x != nil {
		return x.Link
	}
	return ""
}

func (x *PoolStatus) GetAssign() string {
	if x != nil {
		return x.Assign
	}
	return ""
}

func (x *PoolStatus) GetPrefer() string {
	if x != nil {
		return x.Prefer
	}
	return ""
}

func (x *PoolStatus) GetWaitMs() float64 {
	if x != nil {
		return x.WaitMs
	}
	return 0
}

func (x *PoolStatus) GetOldestWaitMs() uint64 {
	if x != nil {
		return x.OldestWaitMs
	}
	return 0
}

func (x *PoolStatus) GetWorkers() uint32 {
	if x != nil {
		return x.Workers
	}
	return 0
}

func (x *PoolStatus) GetQueueByClass() map[string]uint32 {
	if x != nil {
		return x.QueueByClass
	}
	return nil
}

func (x *PoolStatus) GetDecide() string {
	if x != nil {
		return x.Decide
	}
	return ""
}

func (x *PoolStatus) GetByProxies() bool {
	if x != nil {
		return x.ByProxies
	}
	return false
}

func (x *PoolStatus) GetMoved() uint64 {
	if x != nil {
		return x.Moved
	}
	return 0
}

func (x *PoolStatus) GetKept() uint32 {
	if x != nil {
		return x.Kept
	}
	return 0
}

func (x *PoolStatus) GetUses() uint64 {
	if x != nil {
		return x.Uses
	}
	return 0
}

func (x *PoolStatus) GetLearning() bool {
	if x != nil {
		return x.Learning
	}
	return false
}

func (x *PoolStatus) GetEjected() uint64 {
	if x != nil {
		return x.Ejected
	}
	return 0
}

func (x *PoolStatus) GetUnused() uint64 {
	if x != nil {
		return x.Unused
	}
	return 0
}

func (x *PoolStatus) GetLeader() string {
	if x != nil {
		return x.Leader
	}
	return ""
}

func (x *PoolStatus) GetLeaderAddress() string {
	if x != nil {
		return x.LeaderAddress
	}
	return ""
}

func (x *PoolStatus) GetEpoch() uint64 {
	if x != nil {
		return x.Epoch
	}
	return 0
}

func (x *PoolStatus) GetLedHere() bool {
	if x != nil {
		return x.LedHere
	}
	return false
}

type BackendStatus struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Address       string                 `protobuf:"bytes,1,opt,name=address,proto3" json:"address,omitempty"`
	Zone          string                 `protobuf:"bytes,2,opt,name=zone,proto3" json:"zone,omitempty"`
	Slots         uint32                 `protobuf:"varint,3,opt,name=slots,proto3" json:"slots,omitempty"`
	InFlight      uint32                 `protobuf:"varint,4,opt,name=in_flight,json=inFlight,proto3" json:"in_flight,omitempty"`
	Eligible      bool                   `protobuf:"varint,5,opt,name=eligible,proto3" json:"eligible,omitempty"`                     // takes grants when it has a free slot
	State         string                 `protobuf:"bytes,6,opt,name=state,proto3" json:"state,omitempty"`                            // "up", "down", "draining", "drained", "unknown"
	Why           string                 `protobuf:"bytes,7,opt,name=why,proto3" json:"why,omitempty"`                                // in a plain sentence, when it takes no grants
	LatencyMs     float64                `protobuf:"fixed64,8,opt,name=latency_ms,json=latencyMs,proto3" json:"latency_ms,omitempty"` // learnt; 0: not yet
	Foreign       float64                `protobuf:"fixed64,9,opt,name=foreign,proto3" json:"foreign,omitempty"`                      // load by others, in slots
	Report        *OrcaLoadReport        `protobuf:"bytes,10,opt,name=report,proto3" json:"report,omitempty"`
	ReportAgeMs   uint64                 `protobuf:"varint,11,opt,name=report_age_ms,json=reportAgeMs,proto3" json:"report_age_ms,omitempty"`
	HasAgent      bool                   `protobuf:"varint,12,opt,name=has_agent,json=hasAgent,proto3" json:"has_agent,omitempty"`
	FromConfig    bool                   `protobuf:"varint,13,opt,name=from_config,json=fromConfig,proto3" json:"from_config,omitempty"`
	Grants        uint64                 `protobuf:"varint,14,opt,name=grants,proto3" json:"grants,omitempty"` // total, as is errors
	Errors        uint64                 `protobuf:"varint,15,opt,name=errors,proto3" json:"errors,omitempty"`
	Public        string                 `protobuf:"bytes,16,opt,name=public,proto3" json:"public,omitempty"`          // where clients reach it, for direct links
	Assigned      uint64                 `protobuf:"varint,17,opt,name=assigned,proto3" json:"assigned,omitempty"`     // assignments sent, total
	Rejected      uint64                 `protobuf:"varint,18,opt,name=rejected,proto3" json:"rejected,omitempty"`     // of these: the backend said no
	Unanswered    uint64                 `protobuf:"varint,19,opt,name=unanswered,proto3" json:"unanswered,omitempty"` // of these: no answer came in time
	Workers       uint32                 `protobuf:"varint,20,opt,name=workers,proto3" json:"workers,omitempty"`       // 0: slots bound
	Labels        []string               `protobuf:"bytes,21,rep,name=labels,proto3" json:"labels,omitempty"`
	Weight        float64                `protobuf:"fixed64,22,opt,name=weight,proto3" json:"weight,omitempty"`
	Kept          uint32                 `protobuf:"varint,23,opt,name=kept,proto3" json:"kept,omitempty"`                   // slots that proxies keep, with no request on them
	ByHand        bool                   `protobuf:"varint,24,opt,name=by_hand,json=byHand,proto3" json:"by_hand,omitempty"` // an operator has set slots or weight
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *BackendStatus) Reset() {
	*x = BackendStatus{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[54]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *BackendStatus) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*BackendStatus) ProtoMessage() {}

func (x *BackendStatus) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[54]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use BackendStatus.ProtoReflect.Descriptor instead.
func (*BackendStatus) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{54}
}

func (x *BackendStatus) GetAddress() string {
	if x != nil {
		return x.Address
	}
	return ""
}

func (x *BackendStatus) GetZone() string {
	if x != nil {
		return x.Zone
	}
	return ""
}

func (x *BackendStatus) GetSlots() uint32 {
	if x != nil {
		return x.Slots
	}
	return 0
}

func (x *BackendStatus) GetInFlight() uint32 {
	if x != nil {
		return x.InFlight
	}
	return 0
}

func (x *BackendStatus) GetEligible() bool {
	if x != nil {
		return x.Eligible
	}
	return false
}

func (x *BackendStatus) GetState() string {
	if x != nil {
		return x.State
	}
	return ""
}

func (x *BackendStatus) GetWhy() string {
	if x != nil {
		return x.Why
	}
	return ""
}

func (x *BackendStatus) GetLatencyMs() float64 {
	if x != nil {
		return x.LatencyMs
	}
	return 0
}

func (x *BackendStatus) GetForeign() float64 {
	if x != nil {
		return x.Foreign
	}
	return 0
}

func (x *BackendStatus) GetReport() *OrcaLoadReport {
	if x != nil {
		return x.Report
	}
	return nil
}

func (x *BackendStatus) GetReportAgeMs() uint64 {
	if x != nil {
		return x.ReportAgeMs
	}
	return 0
}

func (x *BackendStatus) GetHasAgent() bool {
	if x != nil {
		return x.HasAgent
	}
	return false
}

func (x *BackendStatus) GetFromConfig() bool {
	if x != nil {
		return x.FromConfig
	}
	return false
}

func (x *BackendStatus) GetGrants() uint64 {
	if x != nil {
		return x.Grants
	}
	return 0
}

func (x *BackendStatus) GetErrors() uint64 {
	if x != nil {
		return x.Errors
	}
	return 0
}

func (x *BackendStatus) GetPublic() string {
	if x != nil {
		return x.Public
	}
	return ""
}

func (x *BackendStatus) GetAssigned() uint64 {
	if x != nil {
		return x.Assigned
	}
	return 0
}

func (x *BackendStatus) GetRejected() uint64 {
	if x != nil {
		return x.Rejected
	}
	return 0
}

func (x *BackendStatus) GetUnanswered() uint64 {
	if x != nil {
		return x.Unanswered
	}
	return 0
}

func (x *BackendStatus) GetWorkers() uint32 {
	if x != nil {
		return x.Workers
	}
	return 0
}

func (x *BackendStatus) GetLabels() []string {
	if x != nil {
		return x.Labels
	}
	return nil
}

func (x *BackendStatus) GetWeight() float64 {
	if x != nil {
		return x.Weight
	}
	return 0
}

func (x *BackendStatus) GetKept() uint32 {
	if x != nil {
		return x.Kept
	}
	return 0
}

func (x *BackendStatus) GetByHand() bool {
	if x != nil {
		return x.ByHand
	}
	return false
}

type ProxyStanding struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Name          string                 `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
	Instance      string                 `protobuf:"bytes,2,opt,name=instance,proto3" json:"instance,omitempty"`
	Zone          string                 `protobuf:"bytes,3,opt,name=zone,proto3" json:"zone,omitempty"`
	Connected     bool                   `protobuf:"varint,4,opt,name=connected,proto3" json:"connected,omitempty"`
	Status        *ProxyStatus           `protobuf:"bytes,5,opt,name=status,proto3" json:"status,omitempty"`
	AsksPerSecond float64                `protobuf:"fixed64,6,opt,name=asks_per_second,json=asksPerSecond,proto3" json:"asks_per_second,omitempty"`
	ConnectedMs   uint64                 `protobuf:"varint,7,opt,name=connected_ms,json=connectedMs,proto3" json:"connected_ms,omitempty"`
	Software      string                 `protobuf:"bytes,8,opt,name=software,proto3" json:"software,omitempty"`
	Address       string                 `protobuf:"bytes,9,opt,name=address,proto3" json:"address,omitempty"`              // of the session's peer
	Advertise     string                 `protobuf:"bytes,10,opt,name=advertise,proto3" json:"advertise,omitempty"`         // where clients reach it: a host
	Load          float64                `protobuf:"fixed64,11,opt,name=load,proto3" json:"load,omitempty"`                 // as the choice of proxies sees it; 0: it is not chosen
	WhyNot        string                 `protobuf:"bytes,12,opt,name=why_not,json=whyNot,proto3" json:"why_not,omitempty"` // it is not chosen, in a plain sentence
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ProxyStanding) Reset() {
	*x = ProxyStanding{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[55]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ProxyStanding) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ProxyStanding) ProtoMessage() {}

func (x *ProxyStanding) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[55]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ProxyStanding.ProtoReflect.Descriptor instead.
func (*ProxyStanding) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{55}
}

func (x *ProxyStanding) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *ProxyStanding) GetInstance() string {
	if x != nil {
		return x.Instance
	}
	return ""
}

func (x *ProxyStanding) GetZone() string {
	if x != nil {
		return x.Zone
	}
	return ""
}

func (x *ProxyStanding) GetConnected() bool {
	if x != nil {
		return x.Connected
	}
	return false
}

func (x *ProxyStanding) GetStatus() *ProxyStatus {
	if x != nil {
		return x.Status
	}
	return nil
}

func (x *ProxyStanding) GetAsksPerSecond() float64 {
	if x != nil {
		return x.AsksPerSecond
	}
	return 0
}

func (x *ProxyStanding) GetConnectedMs() uint64 {
	if x != nil {
		return x.ConnectedMs
	}
	return 0
}

func (x *ProxyStanding) GetSoftware() string {
	if x != nil {
		return x.Software
	}
	return ""
}

func (x *ProxyStanding) GetAddress() string {
	if x != nil {
		return x.Address
	}
	return ""
}

func (x *ProxyStanding) GetAdvertise() string {
	if x != nil {
		return x.Advertise
	}
	return ""
}

func (x *ProxyStanding) GetLoad() float64 {
	if x != nil {
		return x.Load
	}
	return 0
}

func (x *ProxyStanding) GetWhyNot() string {
	if x != nil {
		return x.WhyNot
	}
	return ""
}

type DrainRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Pool          string                 `protobuf:"bytes,1,opt,name=pool,proto3" json:"pool,omitempty"` // empty: every pool that has the backend
	Backend       string                 `protobuf:"bytes,2,opt,name=backend,proto3" json:"backend,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *DrainRequest) Reset() {
	*x = DrainRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[56]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *DrainRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*DrainRequest) ProtoMessage() {}

func (x *DrainRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[56]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use DrainRequest.ProtoReflect.Descriptor instead.
func (*DrainRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{56}
}

func (x *DrainRequest) GetPool() string {
	if x != nil {
		return x.Pool
	}
	return ""
}

func (x *DrainRequest) GetBackend() string {
	if x != nil {
		return x.Backend
	}
	return ""
}

type DrainResponse struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	InFlight      uint32                 `protobuf:"varint,1,opt,name=in_flight,json=inFlight,proto3" json:"in_flight,omitempty"` // still running, in pools that this controller leads
	Elsewhere     []string               `protobuf:"bytes,2,rep,name=elsewhere,proto3" json:"elsewhere,omitempty"`                // pools that have it and that another controller leads
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *DrainResponse) Reset() {
	*x = DrainResponse{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[57]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *DrainResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*DrainResponse) ProtoMessage() {}

func (x *DrainResponse) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[57]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use DrainResponse.ProtoReflect.Descriptor instead.
func (*DrainResponse) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{57}
}

func (x *DrainResponse) GetInFlight() uint32 {
	if x != nil {
		return x.InFlight
	}
	return 0
}

func (x *DrainResponse) GetElsewhere() []string {
	if x != nil {
		return x.Elsewhere
	}
	return nil
}

type AdjustRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Pool          string                 `protobuf:"bytes,1,opt,name=pool,proto3" json:"pool,omitempty"` // empty: every pool that has the backend
	Backend       string                 `protobuf:"bytes,2,opt,name=backend,proto3" json:"backend,omitempty"`
	Slots         *uint32                `protobuf:"varint,3,opt,name=slots,proto3,oneof" json:"slots,omitempty"`    // or workers; 0: as the config says; missing: as it is
	Weight        *float64               `protobuf:"fixed64,4,opt,name=weight,proto3,oneof" json:"weight,omitempty"` // the same
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *AdjustRequest) Reset() {
	*x = AdjustRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[58]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *AdjustRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*AdjustRequest) ProtoMessage() {}

func (x *AdjustRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[58]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use AdjustRequest.ProtoReflect.Descriptor instead.
func (*AdjustRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{58}
}

func (x *AdjustRequest) GetPool() string {
	if x != nil {
		return x.Pool
	}
	return ""
}

func (x *AdjustRequest) GetBackend() string {
	if x != nil {
		return x.Backend
	}
	return ""
}

func (x *AdjustRequest) GetSlots() uint32 {
	if x != nil && x.Slots != nil {
		return *x.Slots
	}
	return 0
}

func (x *AdjustRequest) GetWeight() float64 {
	if x != nil && x.Weight != nil {
		return *x.Weight
	}
	return 0
}

type AdjustResponse struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *AdjustResponse) Reset() {
	*x = AdjustResponse{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[59]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *AdjustResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*AdjustResponse) ProtoMessage() {}

func (x *AdjustResponse) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[59]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use AdjustResponse.ProtoReflect.Descriptor instead.
func (*AdjustResponse) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{59}
}

type ListStoreMembersRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ListStoreMembersRequest) Reset() {
	*x = ListStoreMembersRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[60]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ListStoreMembersRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ListStoreMembersRequest) ProtoMessage() {}

func (x *ListStoreMembersRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[60]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ListStoreMembersRequest.ProtoReflect.Descriptor instead.
func (*ListStoreMembersRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{60}
}

type ListStoreMembersResponse struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Members       []*StoreMember         `protobuf:"bytes,1,rep,name=members,proto3" json:"members,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ListStoreMembersResponse) Reset() {
	*x = ListStoreMembersResponse{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[61]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ListStoreMembersResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ListStoreMembersResponse) ProtoMessage() {}

func (x *ListStoreMembersResponse) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[61]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ListStoreMembersResponse.ProtoReflect.Descriptor instead.
func (*ListStoreMembersResponse) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{61}
}

func (x *ListStoreMembersResponse) GetMembers() []*StoreMember {
	if x != nil {
		return x.Members
	}
	return nil
}

type StoreMember struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Name          string                 `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`       // empty: added, not started yet
	Address       string                 `protobuf:"bytes,2,opt,name=address,proto3" json:"address,omitempty"` // where its store listens for the others; empty: for nobody
	Learns        bool                   `protobuf:"varint,3,opt,name=learns,proto3" json:"learns,omitempty"`  // it has no vote until it has caught up
	Here          bool                   `protobuf:"varint,4,opt,name=here,proto3" json:"here,omitempty"`      // it says this
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *StoreMember) Reset() {
	*x = StoreMember{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[62]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *StoreMember) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*StoreMember) ProtoMessage() {}

func (x *StoreMember) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[62]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use StoreMember.ProtoReflect.Descriptor instead.
func (*StoreMember) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{62}
}

func (x *StoreMember) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *StoreMember) GetAddress() string {
	if x != nil {
		return x.Address
	}
	return ""
}

func (x *StoreMember) GetLearns() bool {
	if x != nil {
		return x.Learns
	}
	return false
}

func (x *StoreMember) GetHere() bool {
	if x != nil {
		return x.Here
	}
	return false
}

type AddStoreMemberRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Address       string                 `protobuf:"bytes,1,opt,name=address,proto3" json:"address,omitempty"` // where its store will listen, host:port
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *AddStoreMemberRequest) Reset() {
	*x = AddStoreMemberRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[63]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *AddStoreMemberRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*AddStoreMemberRequest) ProtoMessage() {}

func (x *AddStoreMemberRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[63]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use AddStoreMemberRequest.ProtoReflect.Descriptor instead.
func (*AddStoreMemberRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{63}
}

func (x *AddStoreMemberRequest) GetAddress() string {
	if x != nil {
		return x.Address
	}
	return ""
}

type AddStoreMemberResponse struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *AddStoreMemberResponse) Reset() {
	*x = AddStoreMemberResponse{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[64]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *AddStoreMemberResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*AddStoreMemberResponse) ProtoMessage() {}

func (x *AddStoreMemberResponse) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[64]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use AddStoreMemberResponse.ProtoReflect.Descriptor instead.
func (*AddStoreMemberResponse) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{64}
}

type RemoveStoreMemberRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Member        string                 `protobuf:"bytes,1,opt,name=member,proto3" json:"member,omitempty"` // its name, or its address if it has not started yet
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *RemoveStoreMemberRequest) Reset() {
	*x = RemoveStoreMemberRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[65]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *RemoveStoreMemberRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*RemoveStoreMemberRequest) ProtoMessage() {}

func (x *RemoveStoreMemberRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[65]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use RemoveStoreMemberRequest.ProtoReflect.Descriptor instead.
func (*RemoveStoreMemberRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{65}
}

func (x *RemoveStoreMemberRequest) GetMember() string {
	if x != nil {
		return x.Member
	}
	return ""
}

type RemoveStoreMemberResponse struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *RemoveStoreMemberResponse) Reset() {
	*x = RemoveStoreMemberResponse{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[66]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *RemoveStoreMemberResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*RemoveStoreMemberResponse) ProtoMessage() {}

func (x *RemoveStoreMemberResponse) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[66]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use RemoveStoreMemberResponse.ProtoReflect.Descriptor instead.
func (*RemoveStoreMemberResponse) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{66}
}

type BackUpStoreRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *BackUpStoreRequest) Reset() {
	*x = BackUpStoreRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[67]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *BackUpStoreRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*BackUpStoreRequest) ProtoMessage() {}

func (x *BackUpStoreRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[67]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use BackUpStoreRequest.ProtoReflect.Descriptor instead.
func (*BackUpStoreRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{67}
}

type BackUpStoreResponse struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Data          []byte                 `protobuf:"bytes,1,opt,name=data,proto3" json:"data,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *BackUpStoreResponse) Reset() {
	*x = BackUpStoreResponse{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[68]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *BackUpStoreResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*BackUpStoreResponse) ProtoMessage() {}

func (x *BackUpStoreResponse) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[68]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use BackUpStoreResponse.ProtoReflect.Descriptor instead.
func (*BackUpStoreResponse) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{68}
}

func (x *BackUpStoreResponse) GetData() []byte {
	if x != nil {
		return x.Data
	}
	return nil
}

type ReloadRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Force         bool                   `protobuf:"varint,1,opt,name=force,proto3" json:"force,omitempty"` // remove more than half of a pool's backends or of the pools
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ReloadRequest) Reset() {
	*x = ReloadRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[69]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ReloadRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ReloadRequest) ProtoMessage() {}

func (x *ReloadRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[69]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ReloadRequest.ProtoReflect.Descriptor instead.
func (*ReloadRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{69}
}

func (x *ReloadRequest) GetForce() bool {
	if x != nil {
		return x.Force
	}
	return false
}

type ReloadResponse struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Change        string                 `protobuf:"bytes,1,opt,name=change,proto3" json:"change,omitempty"` // in a few words
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ReloadResponse) Reset() {
	*x = ReloadResponse{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[70]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ReloadResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ReloadResponse) ProtoMessage() {}

func (x *ReloadResponse) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[70]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ReloadResponse.ProtoReflect.Descriptor instead.
func (*ReloadResponse) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{70}
}

func (x *ReloadResponse) GetChange() string {
	if x != nil {
		return x.Change
	}
	return ""
}

type MovePoolRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Pool          string                 `protobuf:"bytes,1,opt,name=pool,proto3" json:"pool,omitempty"`
	Controller    string                 `protobuf:"bytes,2,opt,name=controller,proto3" json:"controller,omitempty"` // its name; empty: as the spread has it
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *MovePoolRequest) Reset() {
	*x = MovePoolRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[71]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *MovePoolRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*MovePoolRequest) ProtoMessage() {}

func (x *MovePoolRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[71]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use MovePoolRequest.ProtoReflect.Descriptor instead.
func (*MovePoolRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{71}
}

func (x *MovePoolRequest) GetPool() string {
	if x != nil {
		return x.Pool
	}
	return ""
}

func (x *MovePoolRequest) GetController() string {
	if x != nil {
		return x.Controller
	}
	return ""
}

type MovePoolResponse struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *MovePoolResponse) Reset() {
	*x = MovePoolResponse{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[72]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *MovePoolResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*MovePoolResponse) ProtoMessage() {}

func (x *MovePoolResponse) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[72]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use MovePoolResponse.ProtoReflect.Descriptor instead.
func (*MovePoolResponse) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{72}
}

type UndrainRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Pool          string                 `protobuf:"bytes,1,opt,name=pool,proto3" json:"pool,omitempty"`
	Backend       string                 `protobuf:"bytes,2,opt,name=backend,proto3" json:"backend,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *UndrainRequest) Reset() {
	*x = UndrainRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[73]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *UndrainRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*UndrainRequest) ProtoMessage() {}

func (x *UndrainRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[73]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use UndrainRequest.ProtoReflect.Descriptor instead.
func (*UndrainRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{73}
}

func (x *UndrainRequest) GetPool() string {
	if x != nil {
		return x.Pool
	}
	return ""
}

func (x *UndrainRequest) GetBackend() string {
	if x != nil {
		return x.Backend
	}
	return ""
}

type UndrainResponse struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *UndrainResponse) Reset() {
	*x = UndrainResponse{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[74]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *UndrainResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*UndrainResponse) ProtoMessage() {}

func (x *UndrainResponse) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[74]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use UndrainResponse.ProtoReflect.Descriptor instead.
func (*UndrainResponse) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{74}
}

type ExplainRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Pool          string                 `protobuf:"bytes,1,opt,name=pool,proto3" json:"pool,omitempty"`
	Exclude       []string               `protobuf:"bytes,2,rep,name=exclude,proto3" json:"exclude,omitempty"`
	Last          uint32                 `protobuf:"varint,3,opt,name=last,proto3" json:"last,omitempty"` // how many past decisions to add, at most 1024
	Zone          string                 `protobuf:"bytes,4,opt,name=zone,proto3" json:"zone,omitempty"`  // the request's, where the pool prefers zones
	Class         Class                  `protobuf:"varint,5,opt,name=class,proto3,enum=fairlead.v1.Class" json:"class,omitempty"`
	Flow          string                 `protobuf:"bytes,6,opt,name=flow,proto3" json:"flow,omitempty"`
	Labels        []string               `protobuf:"bytes,7,rep,name=labels,proto3" json:"labels,omitempty"`
	Affinity      string                 `protobuf:"bytes,8,opt,name=affinity,proto3" json:"affinity,omitempty"`
	DeadlineMs    uint64                 `protobuf:"varint,9,opt,name=deadline_ms,json=deadlineMs,proto3" json:"deadline_ms,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ExplainRequest) Reset() {
	*x = ExplainRequest{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[75]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ExplainRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ExplainRequest) ProtoMessage() {}

func (x *ExplainRequest) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[75]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ExplainRequest.ProtoReflect.Descriptor instead.
func (*ExplainRequest) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{75}
}

func (x *ExplainRequest) GetPool() string {
	if x != nil {
		return x.Pool
	}
	return ""
}

func (x *ExplainRequest) GetExclude() []string {
	if x != nil {
		return x.Exclude
	}
	return nil
}

func (x *ExplainRequest) GetLast() uint32 {
	if x != nil {
		return x.Last
	}
	return 0
}

func (x *ExplainRequest) GetZone() string {
	if x != nil {
		return x.Zone
	}
	return ""
}

func (x *ExplainRequest) GetClass() Class {
	if x != nil {
		return x.Class
	}
	return Class_CLASS_UNSPECIFIED
}

func (x *ExplainRequest) GetFlow() string {
	if x != nil {
		return x.Flow
	}
	return ""
}

func (x *ExplainRequest) GetLabels() []string {
	if x != nil {
		return x.Labels
	}
	return nil
}

func (x *ExplainRequest) GetAffinity() string {
	if x != nil {
		return x.Affinity
	}
	return ""
}

func (x *ExplainRequest) GetDeadlineMs() uint64 {
	if x != nil {
		return x.DeadlineMs
	}
	return 0
}

// Explanation says what would be decided now, and why.
type Explanation struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Pool          string                 `protobuf:"bytes,1,opt,name=pool,proto3" json:"pool,omitempty"`
	Verdict       string                 `protobuf:"bytes,2,opt,name=verdict,proto3" json:"verdict,omitempty"`                                   // a sentence
	Chosen        string                 `protobuf:"bytes,3,opt,name=chosen,proto3" json:"chosen,omitempty"`                                     // the backend; empty: none
	QueuePosition uint32                 `protobuf:"varint,4,opt,name=queue_position,json=queuePosition,proto3" json:"queue_position,omitempty"` // 1 is next; 0: would not wait
	Candidates    []*Candidate           `protobuf:"bytes,5,rep,name=candidates,proto3" json:"candidates,omitempty"`                             // best first
	Last          []*Decision            `protobuf:"bytes,6,rep,name=last,proto3" json:"last,omitempty"`                                         // newest first
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Explanation) Reset() {
	*x = Explanation{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[76]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Explanation) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Explanation) ProtoMessage() {}

func (x *Explanation) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[76]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Explanation.ProtoReflect.Descriptor instead.
func (*Explanation) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{76}
}

func (x *Explanation) GetPool() string {
	if x != nil {
		return x.Pool
	}
	return ""
}

func (x *Explanation) GetVerdict() string {
	if x != nil {
		return x.Verdict
	}
	return ""
}

func (x *Explanation) GetChosen() string {
	if x != nil {
		return x.Chosen
	}
	return ""
}

func (x *Explanation) GetQueuePosition() uint32 {
	if x != nil {
		return x.QueuePosition
	}
	return 0
}

func (x *Explanation) GetCandidates() []*Candidate {
	if x != nil {
		return x.Candidates
	}
	return nil
}

func (x *Explanation) GetLast() []*Decision {
	if x != nil {
		return x.Last
	}
	return nil
}

// Candidate is one backend in an explanation. The least score wins.
type Candidate struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Backend       string                 `protobuf:"bytes,1,opt,name=backend,proto3" json:"backend,omitempty"`
	Eligible      bool                   `protobuf:"varint,2,opt,name=eligible,proto3" json:"eligible,omitempty"`
	WhyNot        string                 `protobuf:"bytes,3,opt,name=why_not,json=whyNot,proto3" json:"why_not,omitempty"`
	InFlight      uint32                 `protobuf:"varint,4,opt,name=in_flight,json=inFlight,proto3" json:"in_flight,omitempty"`
	Slots         uint32                 `protobuf:"varint,5,opt,name=slots,proto3" json:"slots,omitempty"`
	Score         float64                `protobuf:"fixed64,6,opt,name=score,proto3" json:"score,omitempty"` // the sum of the parts
	Speed         float64                `protobuf:"fixed64,7,opt,name=speed,proto3" json:"speed,omitempty"`
	Fill          float64                `protobuf:"fixed64,8,opt,name=fill,proto3" json:"fill,omitempty"`
	Foreign       float64                `protobuf:"fixed64,9,opt,name=foreign,proto3" json:"foreign,omitempty"`
	Utilization   float64                `protobuf:"fixed64,10,opt,name=utilization,proto3" json:"utilization,omitempty"`
	Errors        float64                `protobuf:"fixed64,11,opt,name=errors,proto3" json:"errors,omitempty"`
	Zone          float64                `protobuf:"fixed64,12,opt,name=zone,proto3" json:"zone,omitempty"` // for being in another zone than the request
	InZone        string                 `protobuf:"bytes,13,opt,name=in_zone,json=inZone,proto3" json:"in_zone,omitempty"`
	Queue         float64                `protobuf:"fixed64,14,opt,name=queue,proto3" json:"queue,omitempty"`   // for the wait in the backend's own queue
	Weight        float64                `protobuf:"fixed64,15,opt,name=weight,proto3" json:"weight,omitempty"` // for its weight by hand
	Affine        bool                   `protobuf:"varint,16,opt,name=affine,proto3" json:"affine,omitempty"`  // the request's affinity names it
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Candidate) Reset() {
	*x = Candidate{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[77]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Candidate) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Candidate) ProtoMessage() {}

func (x *Candidate) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[77]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Candidate.ProtoReflect.Descriptor instead.
func (*Candidate) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{77}
}

func (x *Candidate) GetBackend() string {
	if x != nil {
		return x.Backend
	}
	return ""
}

func (x *Candidate) GetEligible() bool {
	if x != nil {
		return x.Eligible
	}
	return false
}

func (x *Candidate) GetWhyNot() string {
	if x != nil {
		return x.WhyNot
	}
	return ""
}

func (x *Candidate) GetInFlight() uint32 {
	if x != nil {
		return x.InFlight
	}
	return 0
}

func (x *Candidate) GetSlots() uint32 {
	if x != nil {
		return x.Slots
	}
	return 0
}

func (x *Candidate) GetScore() float64 {
	if x != nil {
		return x.Score
	}
	return 0
}

func (x *Candidate) GetSpeed() float64 {
	if x != nil {
		return x.Speed
	}
	return 0
}

func (x *Candidate) GetFill() float64 {
	if x != nil {
		return x.Fill
	}
	return 0
}

func (x *Candidate) GetForeign() float64 {
	if x != nil {
		return x.Foreign
	}
	return 0
}

func (x *Candidate) GetUtilization() float64 {
	if x != nil {
		return x.Utilization
	}
	return 0
}

func (x *Candidate) GetErrors() float64 {
	if x != nil {
		return x.Errors
	}
	return 0
}

func (x *Candidate) GetZone() float64 {
	if x != nil {
		return x.Zone
	}
	return 0
}

func (x *Candidate) GetInZone() string {
	if x != nil {
		return x.InZone
	}
	return ""
}

func (x *Candidate) GetQueue() float64 {
	if x != nil {
		return x.Queue
	}
	return 0
}

func (x *Candidate) GetWeight() float64 {
	if x != nil {
		return x.Weight
	}
	return 0
}

func (x *Candidate) GetAffine() bool {
	if x != nil {
		return x.Affine
	}
	return false
}

// Decision is one that was made.
type Decision struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	Ask           uint64                 `protobuf:"varint,1,opt,name=ask,proto3" json:"ask,omitempty"`
	Proxy         string                 `protobuf:"bytes,2,opt,name=proxy,proto3" json:"proxy,omitempty"`
	Backend       string                 `protobuf:"bytes,3,opt,name=backend,proto3" json:"backend,omitempty"`                        // empty: refused
	Reason        Reason                 `protobuf:"varint,4,opt,name=reason,proto3,enum=fairlead.v1.Reason" json:"reason,omitempty"` // when refused
	Score         float64                `protobuf:"fixed64,5,opt,name=score,proto3" json:"score,omitempty"`
	WaitedUs      uint64                 `protobuf:"varint,6,opt,name=waited_us,json=waitedUs,proto3" json:"waited_us,omitempty"`
	Free          uint32                 `protobuf:"varint,7,opt,name=free,proto3" json:"free,omitempty"` // backends that had a free slot, the chosen one included
	AgoMs         uint64                 `protobuf:"varint,8,opt,name=ago_ms,json=agoMs,proto3" json:"ago_ms,omitempty"`
	Zone          string                 `protobuf:"bytes,9,opt,name=zone,proto3" json:"zone,omitempty"`                            // the request's, where the pool prefers zones
	ZoneCost      float64                `protobuf:"fixed64,10,opt,name=zone_cost,json=zoneCost,proto3" json:"zone_cost,omitempty"` // how much worse than the best elsewhere the chosen score was
	Class         Class                  `protobuf:"varint,11,opt,name=class,proto3,enum=fairlead.v1.Class" json:"class,omitempty"`
	Flow          string                 `protobuf:"bytes,12,opt,name=flow,proto3" json:"flow,omitempty"`
	Moved         bool                   `protobuf:"varint,13,opt,name=moved,proto3" json:"moved,omitempty"` // not the backend that its affinity names
	Kept          bool                   `protobuf:"varint,14,opt,name=kept,proto3" json:"kept,omitempty"`   // on a slot that its proxy had kept, without an ask
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Decision) Reset() {
	*x = Decision{}
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[78]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Decision) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Decision) ProtoMessage() {}

func (x *Decision) ProtoReflect() protoreflect.Message {
	mi := &file_fairlead_v1_fairlead_proto_msgTypes[78]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Decision.ProtoReflect.Descriptor instead.
func (*Decision) Descriptor() ([]byte, []int) {
	return file_fairlead_v1_fairlead_proto_rawDescGZIP(), []int{78}
}

func (x *Decision) GetAsk() uint64 {
	if x != nil {
		return x.Ask
	}
	return 0
}

func (x *Decision) GetProxy() string {
	if x != nil {
		return x.Proxy
	}
	return ""
}

func (x *Decision) GetBackend() string {
	if x != nil {
		return x.Backend
	}
	return ""
}

func (x *Decision) GetReason() Reason {
	if x != nil {
		return x.Reason
	}
	return Reason_REASON_UNSPECIFIED
}

func (x *Decision) GetScore() float64 {
	if x != nil {
		return x.Score
	}
	return 0
}

func (x *Decision) GetWaitedUs() uint64 {
	if x != nil {
		return x.WaitedUs
	}
	return 0
}

func (x *Decision) GetFree() uint32 {
	if x != nil {
		return x.Free
	}
	return 0
}

func (x *Decision) GetAgoMs() uint64 {
	if x != nil {
		return x.AgoMs
	}
	return 0
}

func (x *Decision) GetZone() string {
	if x != nil {
		return x.Zone
	}
	return ""
}

func (x *Decision) GetZoneCost() float64 {
	if x != nil {
		return x.ZoneCost
	}
	return 0
}

func (x *Decision) GetClass() Class {
	if x != nil {
		return x.Class
	}
	return Class_CLASS_UNSPECIFIED
}

func (x *Decision) GetFlow() string {
	if x != nil {
		return x.Flow
	}
	return ""
}

func (x *Decision) GetMoved() bool {
	if x != nil {
		return x.Moved
	}
	return false
}

func (x *Decision) GetKept() bool {
	if x != nil {
		return x.Kept
	}
	return false
}

var File_fairlead_v1_fairlead_proto protoreflect.FileDescriptor

const file_fairlead_v1_fairlead_proto_rawDesc = "" +
	"\n" +
	"\x1afairlead/v1/fairlead.proto\x12\vfairlead.v1\"\x9d\x03\n" +
	"\fProxyMessage\x12-\n" +
	"\x05hello\x18\x01 \x01(\v2\x17.fairlead.v1.ProxyHelloR\x05hello\x12'\n" +
	"\x05dones\x18\x02 \x03(\v2\x11.fairlead.v1.DoneR\x05dones\x12$\n" +
	"\x04asks\x18\x03 \x03(\v2\x10.fairlead.v1.AskR\x04asks\x129\n" +
	"\vwithdrawals\x18\x04 \x03(\v2\x17.fairlead.v1.WithdrawalR\vwithdrawals\x120\n" +
	"\x06status\x18\x05 \x01(\v2\x18.fairlead.v1.ProxyStatusR\x06status\x12+\n" +
	"\x05pools\x18\x06 \x03(\v2\x15.fairlead.v1.PoolSeenR\x05pools\x12$\n" +
	"\x04uses\x18\a \x03(\v2\x10.fairlead.v1.UseR\x04uses\x12\x16\n" +
	"\x06number\x18\b \x01(\x04R\x06number\x127\n" +
	"\vpool_hellos\x18\t \x03(\v2\x16.fairlead.v1.PoolHelloR\n" +
	"poolHellos\"u\n" +
	"\tPoolHello\x12\x12\n" +
	"\x04pool\x18\x01 \x01(\rR\x04pool\x12\x14\n" +
	"\x05epoch\x18\x02 \x01(\x04R\x05epoch\x12*\n" +
	"\x04live\x18\x03 \x03(\v2\x16.fairlead.v1.LiveGrantR\x04live\x12\x12\n" +
	"\x04more\x18\x04 \x01(\bR\x04more\"\x99\x01\n" +
	"\x03Use\x12*\n" +
	"\x05grant\x18\x01 \x01(\v2\x14.fairlead.v1.GrantIDR\x05grant\x12\x12\n" +
	"\x04pool\x18\x02 \x01(\rR\x04pool\x12(\n" +
	"\x05about\x18\x03 \x01(\v2\x12.fairlead.v1.AboutR\x05about\x12\x14\n" +
	"\x05after\x18\x04 \x01(\rR\x05after\x12\x12\n" +
	"\x04uses\x18\x05 \x01(\rR\x04uses\"\xae\x02\n" +
	"\bPoolSeen\x12\x12\n" +
	"\x04pool\x18\x01 \x01(\rR\x04pool\x12\x18\n" +
	"\adecided\x18\x02 \x01(\x04R\adecided\x12\x1b\n" +
	"\tin_flight\x18\x03 \x01(\rR\binFlight\x12,\n" +
	"\x04seen\x18\x04 \x03(\v2\x18.fairlead.v1.BackendSeenR\x04seen\x12\x16\n" +
	"\x06served\x18\x05 \x01(\x04R\x06served\x12\x1d\n" +
	"\n" +
	"service_us\x18\x06 \x01(\x04R\tserviceUs\x12\"\n" +
	"\rround_trip_us\x18\a \x01(\x04R\vroundTripUs\x12\x18\n" +
	"\arefused\x18\b \x01(\x04R\arefused\x12\x1a\n" +
	"\bdeciding\x18\t \x01(\bR\bdeciding\x12\x18\n" +
	"\aversion\x18\n" +
	" \x01(\x04R\aversion\":\n" +
	"\bVersions\x12\x16\n" +
	"\x06oldest\x18\x01 \x01(\rR\x06oldest\x12\x16\n" +
	"\x06newest\x18\x02 \x01(\rR\x06newest\"\xe5\x01\n" +
	"\n" +
	"ProxyHello\x121\n" +
	"\bversions\x18\x01 \x01(\v2\x15.fairlead.v1.VersionsR\bversions\x12\x12\n" +
	"\x04name\x18\x02 \x01(\tR\x04name\x12\x1a\n" +
	"\binstance\x18\x03 \x01(\tR\binstance\x12\x12\n" +
	"\x04zone\x18\x04 \x01(\tR\x04zone\x12\x1a\n" +
	"\bsoftware\x18\x05 \x01(\tR\bsoftware\x12\x1c\n" +
	"\tadvertise\x18\a \x01(\tR\tadvertise\x12\x1a\n" +
	"\breplaces\x18\b \x01(\tR\breplacesJ\x04\b\x06\x10\aR\x04live\"\x98\x01\n" +
	"\tLiveGrant\x12$\n" +
	"\x02id\x18\x01 \x01(\v2\x14.fairlead.v1.GrantIDR\x02id\x12\x18\n" +
	"\abackend\x18\x03 \x01(\tR\abackend\x12\x17\n" +
	"\aheld_ms\x18\x04 \x01(\x04R\x06heldMs\x12\x12\n" +
	"\x04kept\x18\x05 \x01(\bR\x04kept\x12\x12\n" +
	"\x04uses\x18\x06 \x01(\rR\x04usesJ\x04\b\x02\x10\x03R\x04pool\"7\n" +
	"\aGrantID\x12\x14\n" +
	"\x05epoch\x18\x01 \x01(\x04R\x05epoch\x12\x16\n" +
	"\x06number\x18\x02 \x01(\x04R\x06number\"\xf9\x01\n" +
	"\x03Ask\x12\x0e\n" +
	"\x02id\x18\x01 \x01(\x04R\x02id\x12\x12\n" +
	"\x04pool\x18\x02 \x01(\rR\x04pool\x12\x1b\n" +
	"\twaited_us\x18\x03 \x01(\x04R\bwaitedUs\x12\x18\n" +
	"\aexclude\x18\x04 \x03(\tR\aexclude\x12\x1b\n" +
	"\tin_flight\x18\x05 \x01(\rR\binFlight\x12,\n" +
	"\x04seen\x18\x06 \x03(\v2\x18.fairlead.v1.BackendSeenR\x04seen\x12(\n" +
	"\x05about\x18\a \x01(\v2\x12.fairlead.v1.AboutR\x05about\x12\"\n" +
	"\rround_trip_us\x18\b \x01(\x04R\vroundTripUs\"\xf2\x01\n" +
	"\x05About\x12\x16\n" +
	"\x06client\x18\x01 \x01(\tR\x06client\x12\x16\n" +
	"\x06method\x18\x02 \x01(\tR\x06method\x12\x12\n" +
	"\x04host\x18\x03 \x01(\tR\x04host\x12\x12\n" +
	"\x04path\x18\x04 \x01(\tR\x04path\x12(\n" +
	"\x05class\x18\x05 \x01(\x0e2\x12.fairlead.v1.ClassR\x05class\x12\x12\n" +
	"\x04flow\x18\x06 \x01(\tR\x04flow\x12\x1f\n" +
	"\vdeadline_ms\x18\a \x01(\x04R\n" +
	"deadlineMs\x12\x16\n" +
	"\x06labels\x18\b \x03(\tR\x06labels\x12\x1a\n" +
	"\baffinity\x18\t \x01(\tR\baffinity\"\xc6\x01\n" +
	"\vBackendSeen\x12\x18\n" +
	"\abackend\x18\x01 \x01(\tR\abackend\x12\x1b\n" +
	"\tin_flight\x18\x02 \x01(\rR\binFlight\x12\x1d\n" +
	"\n" +
	"latency_us\x18\x03 \x01(\x04R\tlatencyUs\x12\x16\n" +
	"\x06errors\x18\x04 \x01(\rR\x06errors\x12/\n" +
	"\x04load\x18\x05 \x01(\v2\x1b.fairlead.v1.OrcaLoadReportR\x04load\x12\x18\n" +
	"\adecided\x18\x06 \x01(\x04R\adecided\"2\n" +
	"\n" +
	"Withdrawal\x12\x12\n" +
	"\x04pool\x18\x01 \x01(\rR\x04pool\x12\x10\n" +
	"\x03ask\x18\x02 \x01(\x04R\x03ask\"\xeb\x01\n" +
	"\x04Done\x12*\n" +
	"\x05grant\x18\x01 \x01(\v2\x14.fairlead.v1.GrantIDR\x05grant\x12\x12\n" +
	"\x04pool\x18\x02 \x01(\rR\x04pool\x12.\n" +
	"\aoutcome\x18\x03 \x01(\x0e2\x14.fairlead.v1.OutcomeR\aoutcome\x12\x1d\n" +
	"\n" +
	"latency_us\x18\x04 \x01(\x04R\tlatencyUs\x12,\n" +
	"\x04seen\x18\x05 \x01(\v2\x18.fairlead.v1.BackendSeenR\x04seen\x12\x12\n" +
	"\x04kept\x18\x06 \x01(\bR\x04kept\x12\x12\n" +
	"\x04uses\x18\a \x01(\rR\x04uses\"\xa5\x02\n" +
	"\vProxyStatus\x12 \n" +
	"\vconnections\x18\x01 \x01(\rR\vconnections\x12\x18\n" +
	"\awaiting\x18\x02 \x01(\rR\awaiting\x12\x1b\n" +
	"\tin_flight\x18\x03 \x01(\rR\binFlight\x12\x10\n" +
	"\x03cpu\x18\x04 \x01(\x01R\x03cpu\x128\n" +
	"\tlisteners\x18\x05 \x03(\v2\x1a.fairlead.v1.BoundListenerR\tlisteners\x12\x1a\n" +
	"\bdraining\x18\x06 \x01(\bR\bdraining\x12'\n" +
	"\x0fmax_connections\x18\a \x01(\rR\x0emaxConnections\x12\x14\n" +
	"\x05cores\x18\b \x01(\rR\x05cores\x12\x16\n" +
	"\x06number\x18\t \x01(\x04R\x06number\"S\n" +
	"\rBoundListener\x12\x12\n" +
	"\x04name\x18\x01 \x01(\tR\x04name\x12\x18\n" +
	"\aaddress\x18\x02 \x01(\tR\aaddress\x12\x14\n" +
	"\x05error\x18\x03 \x01(\tR\x05error\"\xbb\x03\n" +
	"\x11ControllerMessage\x12.\n" +
	"\awelcome\x18\x01 \x01(\v2\x14.fairlead.v1.WelcomeR\awelcome\x12(\n" +
	"\x05table\x18\x02 \x01(\v2\x12.fairlead.v1.TableR\x05table\x12*\n" +
	"\x06grants\x18\x03 \x03(\v2\x12.fairlead.v1.GrantR\x06grants\x120\n" +
	"\brefusals\x18\x04 \x03(\v2\x14.fairlead.v1.RefusalR\brefusals\x12-\n" +
	"\arevokes\x18\x05 \x03(\v2\x13.fairlead.v1.RevokeR\arevokes\x125\n" +
	"\bbackends\x18\x06 \x03(\v2\x19.fairlead.v1.PoolBackendsR\bbackends\x12\x16\n" +
	"\x06status\x18\a \x01(\x04R\x06status\x120\n" +
	"\breclaims\x18\b \x03(\v2\x14.fairlead.v1.GrantIDR\breclaims\x12\x14\n" +
	"\x05heard\x18\t \x01(\x04R\x05heard\x12(\n" +
	"\x05leads\x18\n" +
	" \x01(\v2\x12.fairlead.v1.LeadsR\x05leads\"0\n" +
	"\x05Leads\x12'\n" +
	"\x05leads\x18\x01 \x03(\v2\x11.fairlead.v1.LeadR\x05leads\"L\n" +
	"\x04Lead\x12\x12\n" +
	"\x04pool\x18\x01 \x01(\rR\x04pool\x12\x14\n" +
	"\x05epoch\x18\x02 \x01(\x04R\x05epoch\x12\x1a\n" +
	"\blearning\x18\x03 \x01(\bR\blearning\"\xaa\x01\n" +
	"\fPoolBackends\x12\x12\n" +
	"\x04pool\x18\x01 \x01(\rR\x04pool\x12\x16\n" +
	"\x06decide\x18\x02 \x01(\bR\x06decide\x129\n" +
	"\bbackends\x18\x03 \x03(\v2\x1d.fairlead.v1.ChoosableBackendR\bbackends\x12\x19\n" +
	"\blimit_ms\x18\x04 \x01(\x04R\alimitMs\x12\x18\n" +
	"\aversion\x18\x05 \x01(\x04R\aversion\"\x9f\x01\n" +
	"\fLastBackends\x12:\n" +
	"\x05pools\x18\x01 \x03(\v2$.fairlead.v1.LastBackends.PoolsEntryR\x05pools\x1aS\n" +
	"\n" +
	"PoolsEntry\x12\x10\n" +
	"\x03key\x18\x01 \x01(\tR\x03key\x12/\n" +
	"\x05value\x18\x02 \x01(\v2\x19.fairlead.v1.PoolBackendsR\x05value:\x028\x01\"\xbf\x01\n" +
	"\x10ChoosableBackend\x12\x18\n" +
	"\aaddress\x18\x01 \x01(\tR\aaddress\x12\x18\n" +
	"\aworkers\x18\x02 \x01(\rR\aworkers\x12\x16\n" +
	"\x06weight\x18\x03 \x01(\x01R\x06weight\x12\x12\n" +
	"\x04zone\x18\x04 \x01(\tR\x04zone\x12\x16\n" +
	"\x06labels\x18\x05 \x03(\tR\x06labels\x12\x1d\n" +
	"\n" +
	"latency_ms\x18\x06 \x01(\x01R\tlatencyMs\x12\x14\n" +
	"\x05share\x18\a \x01(\rR\x05share\"\x99\x01\n" +
	"\aWelcome\x12\x18\n" +
	"\aversion\x18\x01 \x01(\rR\aversion\x12\x14\n" +
	"\x05epoch\x18\x02 \x01(\x04R\x05epoch\x12'\n" +
	"\x0fmax_outstanding\x18\x03 \x01(\rR\x0emaxOutstanding\x12\x19\n" +
	"\bgrace_ms\x18\x04 \x01(\x04R\agraceMs\x12\x1a\n" +
	"\bsoftware\x18\x05 \x01(\tR\bsoftware\"\xb0\x01\n" +
	"\x05Table\x12\x18\n" +
	"\aversion\x18\x01 \x01(\x04R\aversion\x123\n" +
	"\tlisteners\x18\x02 \x03(\v2\x15.fairlead.v1.ListenerR\tlisteners\x12*\n" +
	"\x06routes\x18\x03 \x03(\v2\x12.fairlead.v1.RouteR\x06routes\x12,\n" +
	"\x05pools\x18\x04 \x03(\v2\x16.fairlead.v1.PoolEntryR\x05pools\"\xb8\x02\n" +
	"\bListener\x12\x12\n" +
	"\x04name\x18\x01 \x01(\tR\x04name\x12\x18\n" +
	"\aaddress\x18\x02 \x01(\tR\aaddress\x121\n" +
	"\bprotocol\x18\x03 \x01(\x0e2\x15.fairlead.v1.ProtocolR\bprotocol\x12&\n" +
	"\x0fidle_timeout_ms\x18\x04 \x01(\x04R\ridleTimeoutMs\x12*\n" +
	"\x11accept_proxy_from\x18\x05 \x03(\tR\x0facceptProxyFrom\x12*\n" +
	"\x03tls\x18\x06 \x01(\v2\x18.fairlead.v1.ListenerTLSR\x03tls\x121\n" +
	"\btimeouts\x18\a \x01(\v2\x15.fairlead.v1.TimeoutsR\btimeouts\x12\x18\n" +
	"\atrusted\x18\b \x03(\tR\atrusted\"\xc6\x01\n" +
	"\bTimeouts\x12\x17\n" +
	"\aidle_ms\x18\x01 \x01(\x04R\x06idleMs\x12\x17\n" +
	"\ahead_ms\x18\x02 \x01(\x04R\x06headMs\x12\x17\n" +
	"\abody_ms\x18\x03 \x01(\x04R\x06bodyMs\x12\x1b\n" +
	"\tanswer_ms\x18\x04 \x01(\x04R\banswerMs\x12\"\n" +
	"\rfirst_byte_ms\x18\x05 \x01(\x04R\vfirstByteMs\x12 \n" +
	"\ttunnel_ms\x18\x06 \x01(\x04H\x00R\btunnelMs\x88\x01\x01B\f\n" +
	"\n" +
	"_tunnel_ms\"\xce\x01\n" +
	"\vListenerTLS\x12A\n" +
	"\fcertificates\x18\x01 \x03(\v2\x1d.fairlead.v1.CertificateFilesR\fcertificates\x12\x1b\n" +
	"\tclient_ca\x18\x02 \x01(\tR\bclientCa\x12\x1d\n" +
	"\n" +
	"client_may\x18\x03 \x01(\bR\tclientMay\x12\x19\n" +
	"\bno_http2\x18\x04 \x01(\bR\anoHttp2\x12%\n" +
	"\x04acme\x18\x05 \x01(\v2\x11.fairlead.v1.ACMER\x04acme\"\xad\x01\n" +
	"\x04ACME\x12\x18\n" +
	"\adomains\x18\x01 \x03(\tR\adomains\x12\x14\n" +
	"\x05email\x18\x02 \x01(\tR\x05email\x12\x1c\n" +
	"\tdirectory\x18\x03 \x01(\tR\tdirectory\x12\x0e\n" +
	"\x02ca\x18\x04 \x01(\tR\x02ca\x12\x18\n" +
	"\astorage\x18\x05 \x01(\tR\astorage\x12\x19\n" +
	"\btls_alpn\x18\x06 \x01(\bR\atlsAlpn\x12\x12\n" +
	"\x04http\x18\a \x01(\bR\x04http\"8\n" +
	"\x10CertificateFiles\x12\x12\n" +
	"\x04cert\x18\x01 \x01(\tR\x04cert\x12\x10\n" +
	"\x03key\x18\x02 \x01(\tR\x03key\"\xa1\x01\n" +
	"\x05Route\x12\x1a\n" +
	"\blistener\x18\x01 \x01(\tR\blistener\x12\x12\n" +
	"\x04host\x18\x02 \x01(\tR\x04host\x12\x12\n" +
	"\x04path\x18\x03 \x01(\tR\x04path\x12\x12\n" +
	"\x04pool\x18\x04 \x01(\rR\x04pool\x12(\n" +
	"\x05class\x18\x05 \x01(\x0e2\x12.fairlead.v1.ClassR\x05class\x12\x16\n" +
	"\x06labels\x18\x06 \x03(\tR\x06labels\"\xfc\x03\n" +
	"\tPoolEntry\x12\x16\n" +
	"\x06number\x18\x01 \x01(\rR\x06number\x12\x12\n" +
	"\x04name\x18\x02 \x01(\tR\x04name\x12\x18\n" +
	"\aretries\x18\x03 \x01(\rR\aretries\x12,\n" +
	"\x12connect_timeout_ms\x18\x04 \x01(\x04R\x10connectTimeoutMs\x12%\n" +
	"\x04link\x18\x05 \x01(\x0e2\x11.fairlead.v1.LinkR\x04link\x12\x14\n" +
	"\x05about\x18\x06 \x01(\bR\x05about\x12\x18\n" +
	"\atickets\x18\a \x01(\bR\atickets\x121\n" +
	"\bclassify\x18\b \x01(\v2\x15.fairlead.v1.ClassifyR\bclassify\x12\x18\n" +
	"\adecides\x18\t \x01(\bR\adecides\x12\x14\n" +
	"\x05alone\x18\n" +
	" \x01(\bR\x05alone\x12\x1f\n" +
	"\vqueue_limit\x18\v \x01(\x04R\n" +
	"queueLimit\x12(\n" +
	"\x10queue_timeout_ms\x18\f \x01(\x04R\x0equeueTimeoutMs\x12\x16\n" +
	"\x06queues\x18\r \x01(\bR\x06queues\x12\x1d\n" +
	"\n" +
	"send_proxy\x18\x0e \x01(\rR\tsendProxy\x12\x14\n" +
	"\x05http2\x18\x0f \x01(\bR\x05http2\x12)\n" +
	"\x03tls\x18\x10 \x01(\v2\x17.fairlead.v1.BackendTLSR\x03tls\"\x95\x01\n" +
	"\n" +
	"BackendTLS\x12\x0e\n" +
	"\x02ca\x18\x01 \x01(\tR\x02ca\x12\x1f\n" +
	"\vserver_name\x18\x02 \x01(\tR\n" +
	"serverName\x12\x12\n" +
	"\x04cert\x18\x03 \x01(\tR\x04cert\x12\x10\n" +
	"\x03key\x18\x04 \x01(\tR\x03key\x120\n" +
	"\x14insecure_skip_verify\x18\x05 \x01(\bR\x12insecureSkipVerify\"\xb7\x02\n" +
	"\bClassify\x12!\n" +
	"\fclass_header\x18\x01 \x01(\tR\vclassHeader\x12'\n" +
	"\x04flow\x18\x02 \x01(\v2\x13.fairlead.v1.SourceR\x04flow\x12/\n" +
	"\baffinity\x18\x03 \x01(\v2\x13.fairlead.v1.SourceR\baffinity\x12L\n" +
	"\rlabel_headers\x18\x04 \x03(\v2'.fairlead.v1.Classify.LabelHeadersEntryR\flabelHeaders\x12\x1f\n" +
	"\vdeadline_ms\x18\x05 \x01(\x04R\n" +
	"deadlineMs\x1a?\n" +
	"\x11LabelHeadersEntry\x12\x10\n" +
	"\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n" +
	"\x05value\x18\x02 \x01(\tR\x05value:\x028\x01\"\xbe\x01\n" +
	"\x06Source\x12,\n" +
	"\x04kind\x18\x01 \x01(\x0e2\x18.fairlead.v1.Source.KindR\x04kind\x12\x12\n" +
	"\x04name\x18\x02 \x01(\tR\x04name\"r\n" +
	"\x04Kind\x12\x14\n" +
	"\x10KIND_UNSPECIFIED\x10\x00\x12\x0f\n" +
	"\vKIND_CLIENT\x10\x01\x12\x0f\n" +
	"\vKIND_HEADER\x10\x02\x12\x0f\n" +
	"\vKIND_COOKIE\x10\x03\x12\x0e\n" +
	"\n" +
	"KIND_CLAIM\x10\x04\x12\x11\n" +
	"\rKIND_TLS_NAME\x10\x05\"\x84\x02\n" +
	"\x05Grant\x12\x10\n" +
	"\x03ask\x18\x01 \x01(\x04R\x03ask\x12$\n" +
	"\x02id\x18\x02 \x01(\v2\x14.fairlead.v1.GrantIDR\x02id\x12\x18\n" +
	"\abackend\x18\x03 \x01(\tR\abackend\x12\x19\n" +
	"\blimit_ms\x18\x04 \x01(\x04R\alimitMs\x12\x12\n" +
	"\x04pool\x18\x05 \x01(\rR\x04pool\x12\x16\n" +
	"\x06ticket\x18\x06 \x01(\tR\x06ticket\x12\x16\n" +
	"\x06public\x18\a \x01(\tR\x06public\x12\x1b\n" +
	"\tticket_ms\x18\b \x01(\x04R\bticketMs\x12\x14\n" +
	"\x05moved\x18\t \x01(\bR\x05moved\x12\x17\n" +
	"\akeep_ms\x18\n" +
	" \x01(\x04R\x06keepMs\"u\n" +
	"\x06Revoke\x12*\n" +
	"\x05grant\x18\x01 \x01(\v2\x14.fairlead.v1.GrantIDR\x05grant\x12+\n" +
	"\x06reason\x18\x02 \x01(\x0e2\x13.fairlead.v1.ReasonR\x06reason\x12\x12\n" +
	"\x04uses\x18\x03 \x01(\rR\x04uses\"n\n" +
	"\aRefusal\x12\x10\n" +
	"\x03ask\x18\x01 \x01(\x04R\x03ask\x12+\n" +
	"\x06reason\x18\x02 \x01(\x0e2\x13.fairlead.v1.ReasonR\x06reason\x12$\n" +
	"\x0eretry_after_ms\x18\x03 \x01(\x04R\fretryAfterMs\"\x92\x02\n" +
	"\fAgentMessage\x12-\n" +
	"\x05hello\x18\x01 \x01(\v2\x17.fairlead.v1.AgentHelloR\x05hello\x123\n" +
	"\x06report\x18\x02 \x01(\v2\x1b.fairlead.v1.OrcaLoadReportR\x06report\x12\x14\n" +
	"\x05drain\x18\x03 \x01(\bR\x05drain\x12-\n" +
	"\aanswers\x18\x04 \x03(\v2\x13.fairlead.v1.AnswerR\aanswers\x120\n" +
	"\barrivals\x18\x05 \x03(\v2\x14.fairlead.v1.GrantIDR\barrivals\x12'\n" +
	"\x05dones\x18\x06 \x03(\v2\x11.fairlead.v1.DoneR\x05dones\"j\n" +
	"\x06Answer\x12*\n" +
	"\x05grant\x18\x01 \x01(\v2\x14.fairlead.v1.GrantIDR\x05grant\x124\n" +
	"\trejection\x18\x02 \x01(\x0e2\x16.fairlead.v1.RejectionR\trejection\"\xff\x02\n" +
	"\n" +
	"AgentHello\x121\n" +
	"\bversions\x18\x01 \x01(\v2\x15.fairlead.v1.VersionsR\bversions\x12\x12\n" +
	"\x04pool\x18\x02 \x01(\tR\x04pool\x12\x18\n" +
	"\aaddress\x18\x03 \x01(\tR\aaddress\x12\x14\n" +
	"\x05slots\x18\x04 \x01(\rR\x05slots\x12\x12\n" +
	"\x04zone\x18\x05 \x01(\tR\x04zone\x12\x1a\n" +
	"\binstance\x18\x06 \x01(\tR\binstance\x12\x1a\n" +
	"\bsoftware\x18\a \x01(\tR\bsoftware\x12\x16\n" +
	"\x06public\x18\b \x01(\tR\x06public\x12 \n" +
	"\vassignments\x18\t \x01(\bR\vassignments\x12\x16\n" +
	"\x06direct\x18\n" +
	" \x01(\bR\x06direct\x12*\n" +
	"\x04live\x18\v \x03(\v2\x16.fairlead.v1.LiveGrantR\x04live\x12\x18\n" +
	"\aworkers\x18\f \x01(\rR\aworkers\x12\x16\n" +
	"\x06labels\x18\r \x03(\tR\x06labels\"\x9c\x05\n" +
	"\x0eOrcaLoadReport\x12'\n" +
	"\x0fcpu_utilization\x18\x01 \x01(\x01R\x0ecpuUtilization\x12'\n" +
	"\x0fmem_utilization\x18\x02 \x01(\x01R\x0ememUtilization\x12\x10\n" +
	"\x03rps\x18\x03 \x01(\x04R\x03rps\x12O\n" +
	"\frequest_cost\x18\x04 \x03(\v2,.fairlead.v1.OrcaLoadReport.RequestCostEntryR\vrequestCost\x12N\n" +
	"\vutilization\x18\x05 \x03(\v2,.fairlead.v1.OrcaLoadReport.UtilizationEntryR\vutilization\x12%\n" +
	"\x0erps_fractional\x18\x06 \x01(\x01R\rrpsFractional\x12\x10\n" +
	"\x03eps\x18\a \x01(\x01R\x03eps\x12R\n" +
	"\rnamed_metrics\x18\b \x03(\v2-.fairlead.v1.OrcaLoadReport.NamedMetricsEntryR\fnamedMetrics\x127\n" +
	"\x17application_utilization\x18\t \x01(\x01R\x16applicationUtilization\x1a>\n" +
	"\x10RequestCostEntry\x12\x10\n" +
	"\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n" +
	"\x05value\x18\x02 \x01(\x01R\x05value:\x028\x01\x1a>\n" +
	"\x10UtilizationEntry\x12\x10\n" +
	"\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n" +
	"\x05value\x18\x02 \x01(\x01R\x05value:\x028\x01\x1a?\n" +
	"\x11NamedMetricsEntry\x12\x10\n" +
	"\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n" +
	"\x05value\x18\x02 \x01(\x01R\x05value:\x028\x01\"\x9f\x02\n" +
	"\x0eBackendMessage\x125\n" +
	"\awelcome\x18\x01 \x01(\v2\x1b.fairlead.v1.BackendWelcomeR\awelcome\x12/\n" +
	"\x05state\x18\x02 \x01(\v2\x19.fairlead.v1.BackendStateR\x05state\x129\n" +
	"\vassignments\x18\x03 \x03(\v2\x17.fairlead.v1.AssignmentR\vassignments\x12-\n" +
	"\arevokes\x18\x04 \x03(\v2\x13.fairlead.v1.RevokeR\arevokes\x12%\n" +
	"\x04keys\x18\x05 \x01(\v2\x11.fairlead.v1.KeysR\x04keys\x12\x14\n" +
	"\x05epoch\x18\x06 \x01(\x04R\x05epoch\"\\\n" +
	"\x0eBackendWelcome\x12\x18\n" +
	"\aversion\x18\x01 \x01(\rR\aversion\x12\x1a\n" +
	"\bsoftware\x18\x02 \x01(\tR\bsoftware\x12\x14\n" +
	"\x05epoch\x18\x03 \x01(\x04R\x05epoch\"\xad\x01\n" +
	"\n" +
	"Assignment\x12*\n" +
	"\x05grant\x18\x01 \x01(\v2\x14.fairlead.v1.GrantIDR\x05grant\x12\x14\n" +
	"\x05proxy\x18\x02 \x01(\tR\x05proxy\x12(\n" +
	"\x05about\x18\x03 \x01(\v2\x12.fairlead.v1.AboutR\x05about\x12\x19\n" +
	"\blimit_ms\x18\x04 \x01(\x04R\alimitMs\x12\x18\n" +
	"\aconfirm\x18\x05 \x01(\bR\aconfirm\",\n" +
	"\x04Keys\x12$\n" +
	"\x04keys\x18\x01 \x03(\v2\x10.fairlead.v1.KeyR\x04keys\"-\n" +
	"\x03Key\x12\x0e\n" +
	"\x02id\x18\x01 \x01(\tR\x02id\x12\x16\n" +
	"\x06public\x18\x02 \x01(\fR\x06public\"Z\n" +
	"\fBackendState\x12\x14\n" +
	"\x05slots\x18\x01 \x01(\rR\x05slots\x12\x1a\n" +
	"\bdraining\x18\x02 \x01(\bR\bdraining\x12\x18\n" +
	"\adrained\x18\x03 \x01(\bR\adrained\"]\n" +
	"\rChooseRequest\x12\x1a\n" +
	"\blistener\x18\x01 \x01(\tR\blistener\x12\x16\n" +
	"\x06client\x18\x02 \x01(\tR\x06client\x12\x18\n" +
	"\aexclude\x18\x03 \x03(\tR\aexclude\"\xc9\x01\n" +
	"\x0eChooseResponse\x122\n" +
	"\aproxies\x18\x01 \x03(\v2\x18.fairlead.v1.ChosenProxyR\aproxies\x12\x15\n" +
	"\x06ttl_ms\x18\x02 \x01(\x04R\x05ttlMs\x121\n" +
	"\bprotocol\x18\x03 \x01(\x0e2\x15.fairlead.v1.ProtocolR\bprotocol\x12%\n" +
	"\x04link\x18\x04 \x01(\x0e2\x11.fairlead.v1.LinkR\x04link\x12\x12\n" +
	"\x04zone\x18\x05 \x01(\tR\x04zone\"O\n" +
	"\vChosenProxy\x12\x12\n" +
	"\x04name\x18\x01 \x01(\tR\x04name\x12\x18\n" +
	"\aaddress\x18\x02 \x01(\tR\aaddress\x12\x12\n" +
	"\x04zone\x18\x03 \x01(\tR\x04zone\"\x14\n" +
	"\x12GetSnapshotRequest\"/\n" +
	"\fWatchRequest\x12\x1f\n" +
	"\vinterval_ms\x18\x01 \x01(\x04R\n" +
	"intervalMs\"\x81\x03\n" +
	"\bSnapshot\x12\x1a\n" +
	"\bsoftware\x18\x01 \x01(\tR\bsoftware\x12\x14\n" +
	"\x05epoch\x18\x02 \x01(\x04R\x05epoch\x12\"\n" +
	"\rtaken_unix_ms\x18\x03 \x01(\x03R\vtakenUnixMs\x12\x1b\n" +
	"\tuptime_ms\x18\x04 \x01(\x04R\buptimeMs\x12-\n" +
	"\x05pools\x18\x05 \x03(\v2\x17.fairlead.v1.PoolStatusR\x05pools\x124\n" +
	"\aproxies\x18\x06 \x03(\v2\x1a.fairlead.v1.ProxyStandingR\aproxies\x123\n" +
	"\tlisteners\x18\a \x03(\v2\x15.fairlead.v1.ListenerR\tlisteners\x12A\n" +
	"\vcontrollers\x18\b \x03(\v2\x1f.fairlead.v1.ControllerStandingR\vcontrollers\x12%\n" +
	"\x0econfig_problem\x18\t \x01(\tR\rconfigProblem\"l\n" +
	"\x12ControllerStanding\x12\x12\n" +
	"\x04name\x18\x01 \x01(\tR\x04name\x12\x18\n" +
	"\aaddress\x18\x02 \x01(\tR\aaddress\x12\x14\n" +
	"\x05leads\x18\x03 \x01(\rR\x05leads\x12\x12\n" +
	"\x04here\x18\x04 \x01(\bR\x04here\"\xdc\b\n" +
	"\n" +
	"PoolStatus\x12\x12\n" +
	"\x04name\x18\x01 \x01(\tR\x04name\x126\n" +
	"\bbackends\x18\x02 \x03(\v2\x1a.fairlead.v1.BackendStatusR\bbackends\x12\x14\n" +
	"\x05slots\x18\x03 \x01(\rR\x05slots\x12\x1b\n" +
	"\tin_flight\x18\x04 \x01(\rR\binFlight\x12\x14\n" +
	"\x05queue\x18\x05 \x01(\rR\x05queue\x12\x1f\n" +
	"\vqueue_limit\x18\x06 \x01(\rR\n" +
	"queueLimit\x12(\n" +
	"\x10queue_timeout_ms\x18\a \x01(\x04R\x0equeueTimeoutMs\x12\x12\n" +
	"\x04asks\x18\b \x01(\x04R\x04asks\x12\x16\n" +
	"\x06grants\x18\t \x01(\x04R\x06grants\x12\x14\n" +
	"\x05dones\x18\n" +
	" \x01(\x04R\x05dones\x12\x1c\n" +
	"\twithdrawn\x18\v \x01(\x04R\twithdrawn\x12>\n" +
	"\arefused\x18\f \x03(\v2$.fairlead.v1.PoolStatus.RefusedEntryR\arefused\x120\n" +
	"\x14decisions_per_second\x18\r \x01(\x01R\x12decisionsPerSecond\x12\x12\n" +
	"\x04link\x18\x10 \x01(\tR\x04link\x12\x16\n" +
	"\x06assign\x18\x11 \x01(\tR\x06assign\x12\x16\n" +
	"\x06prefer\x18\x12 \x01(\tR\x06prefer\x12\x17\n" +
	"\await_ms\x18\x0e \x01(\x01R\x06waitMs\x12$\n" +
	"\x0eoldest_wait_ms\x18\x0f \x01(\x04R\foldestWaitMs\x12\x18\n" +
	"\aworkers\x18\x13 \x01(\rR\aworkers\x12O\n" +
	"\x0equeue_by_class\x18\x14 \x03(\v2).fairlead.v1.PoolStatus.QueueByClassEntryR\fqueueByClass\x12\x16\n" +
	"\x06decide\x18\x15 \x01(\tR\x06decide\x12\x1d\n" +
	"\n" +
	"by_proxies\x18\x16 \x01(\bR\tbyProxies\x12\x14\n" +
	"\x05moved\x18\x17 \x01(\x04R\x05moved\x12\x12\n" +
	"\x04kept\x18\x18 \x01(\rR\x04kept\x12\x12\n" +
	"\x04uses\x18\x19 \x01(\x04R\x04uses\x12\x1a\n" +
	"\blearning\x18\x1a \x01(\bR\blearning\x12\x18\n" +
	"\aejected\x18\x1b \x01(\x04R\aejected\x12\x16\n" +
	"\x06unused\x18\x1c \x01(\x04R\x06unused\x12\x16\n" +
	"\x06leader\x18\x1d \x01(\tR\x06leader\x12%\n" +
	"\x0eleader_address\x18\x1e \x01(\tR\rleaderAddress\x12\x14\n" +
	"\x05epoch\x18\x1f \x01(\x04R\x05epoch\x12\x19\n" +
	"\bled_here\x18  \x01(\bR\aledHere\x1a:\n" +
	"\fRefusedEntry\x12\x10\n" +
	"\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n" +
	"\x05value\x18\x02 \x01(\x04R\x05value:\x028\x01\x1a?\n" +
	"\x11QueueByClassEntry\x12\x10\n" +
	"\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n" +
	"\x05value\x18\x02 \x01(\rR\x05value:\x028\x01\"\x9b\x05\n" +
	"\rBackendStatus\x12\x18\n" +
	"\aaddress\x18\x01 \x01(\tR\aaddress\x12\x12\n" +
	"\x04zone\x18\x02 \x01(\tR\x04zone\x12\x14\n" +
	"\x05slots\x18\x03 \x01(\rR\x05slots\x12\x1b\n" +
	"\tin_flight\x18\x04 \x01(\rR\binFlight\x12\x1a\n" +
	"\beligible\x18\x05 \x01(\bR\beligible\x12\x14\n" +
	"\x05state\x18\x06 \x01(\tR\x05state\x12\x10\n" +
	"\x03why\x18\a \x01(\tR\x03why\x12\x1d\n" +
	"\n" +
	"latency_ms\x18\b \x01(\x01R\tlatencyMs\x12\x18\n" +
	"\aforeign\x18\t \x01(\x01R\aforeign\x123\n" +
	"\x06report\x18\n" +
	" \x01(\v2\x1b.fairlead.v1.OrcaLoadReportR\x06report\x12\"\n" +
	"\rreport_age_ms\x18\v \x01(\x04R\vreportAgeMs\x12\x1b\n" +
	"\thas_agent\x18\f \x01(\bR\bhasAgent\x12\x1f\n" +
	"\vfrom_config\x18\r \x01(\bR\n" +
	"fromConfig\x12\x16\n" +
	"\x06grants\x18\x0e \x01(\x04R\x06grants\x12\x16\n" +
	"\x06errors\x18\x0f \x01(\x04R\x06errors\x12\x16\n" +
	"\x06public\x18\x10 \x01(\tR\x06public\x12\x1a\n" +
	"\bassigned\x18\x11 \x01(\x04R\bassigned\x12\x1a\n" +
	"\brejected\x18\x12 \x01(\x04R\brejected\x12\x1e\n" +
	"\n" +
	"unanswered\x18\x13 \x01(\x04R\n" +
	"unanswered\x12\x18\n" +
	"\aworkers\x18\x14 \x01(\rR\aworkers\x12\x16\n" +
	"\x06labels\x18\x15 \x03(\tR\x06labels\x12\x16\n" +
	"\x06weight\x18\x16 \x01(\x01R\x06weight\x12\x12\n" +
	"\x04kept\x18\x17 \x01(\rR\x04kept\x12\x17\n" +
	"\aby_hand\x18\x18 \x01(\bR\x06byHand\"\xef\x02\n" +
	"\rProxyStanding\x12\x12\n" +
	"\x04name\x18\x01 \x01(\tR\x04name\x12\x1a\n" +
	"\binstance\x18\x02 \x01(\tR\binstance\x12\x12\n" +
	"\x04zone\x18\x03 \x01(\tR\x04zone\x12\x1c\n" +
	"\tconnected\x18\x04 \x01(\bR\tconnected\x120\n" +
	"\x06status\x18\x05 \x01(\v2\x18.fairlead.v1.ProxyStatusR\x06status\x12&\n" +
	"\x0fasks_per_second\x18\x06 \x01(\x01R\rasksPerSecond\x12!\n" +
	"\fconnected_ms\x18\a \x01(\x04R\vconnectedMs\x12\x1a\n" +
	"\bsoftware\x18\b \x01(\tR\bsoftware\x12\x18\n" +
	"\aaddress\x18\t \x01(\tR\aaddress\x12\x1c\n" +
	"\tadvertise\x18\n" +
	" \x01(\tR\tadvertise\x12\x12\n" +
	"\x04load\x18\v \x01(\x01R\x04load\x12\x17\n" +
	"\awhy_not\x18\f \x01(\tR\x06whyNot\"<\n" +
	"\fDrainRequest\x12\x12\n" +
	"\x04pool\x18\x01 \x01(\tR\x04pool\x12\x18\n" +
	"\abackend\x18\x02 \x01(\tR\abackend\"J\n" +
	"\rDrainResponse\x12\x1b\n" +
	"\tin_flight\x18\x01 \x01(\rR\binFlight\x12\x1c\n" +
	"\telsewhere\x18\x02 \x03(\tR\telsewhere\"\x8a\x01\n" +
	"\rAdjustRequest\x12\x12\n" +
	"\x04pool\x18\x01 \x01(\tR\x04pool\x12\x18\n" +
	"\abackend\x18\x02 \x01(\tR\abackend\x12\x19\n" +
	"\x05slots\x18\x03 \x01(\rH\x00R\x05slots\x88\x01\x01\x12\x1b\n" +
	"\x06weight\x18\x04 \x01(\x01H\x01R\x06weight\x88\x01\x01B\b\n" +
	"\x06_slotsB\t\n" +
	"\a_weight\"\x10\n" +
	"\x0eAdjustResponse\"\x19\n" +
	"\x17ListStoreMembersRequest\"N\n" +
	"\x18ListStoreMembersResponse\x122\n" +
	"\amembers\x18\x01 \x03(\v2\x18.fairlead.v1.StoreMemberR\amembers\"g\n" +
	"\vStoreMember\x12\x12\n" +
	"\x04name\x18\x01 \x01(\tR\x04name\x12\x18\n" +
	"\aaddress\x18\x02 \x01(\tR\aaddress\x12\x16\n" +
	"\x06learns\x18\x03 \x01(\bR\x06learns\x12\x12\n" +
	"\x04here\x18\x04 \x01(\bR\x04here\"1\n" +
	"\x15AddStoreMemberRequest\x12\x18\n" +
	"\aaddress\x18\x01 \x01(\tR\aaddress\"\x18\n" +
	"\x16AddStoreMemberResponse\"2\n" +
	"\x18RemoveStoreMemberRequest\x12\x16\n" +
	"\x06member\x18\x01 \x01(\tR\x06member\"\x1b\n" +
	"\x19RemoveStoreMemberResponse\"\x14\n" +
	"\x12BackUpStoreRequest\")\n" +
	"\x13BackUpStoreResponse\x12\x12\n" +
	"\x04data\x18\x01 \x01(\fR\x04data\"%\n" +
	"\rReloadRequest\x12\x14\n" +
	"\x05force\x18\x01 \x01(\bR\x05force\"(\n" +
	"\x0eReloadResponse\x12\x16\n" +
	"\x06change\x18\x01 \x01(\tR\x06change\"E\n" +
	"\x0fMovePoolRequest\x12\x12\n" +
	"\x04pool\x18\x01 \x01(\tR\x04pool\x12\x1e\n" +
	"\n" +
	"controller\x18\x02 \x01(\tR\n" +
	"controller\"\x12\n" +
	"\x10MovePoolResponse\">\n" +
	"\x0eUndrainRequest\x12\x12\n" +
	"\x04pool\x18\x01 \x01(\tR\x04pool\x12\x18\n" +
	"\abackend\x18\x02 \x01(\tR\abackend\"\x11\n" +
	"\x0fUndrainResponse\"\xf9\x01\n" +
	"\x0eExplainRequest\x12\x12\n" +
	"\x04pool\x18\x01 \x01(\tR\x04pool\x12\x18\n" +
	"\aexclude\x18\x02 \x03(\tR\aexclude\x12\x12\n" +
	"\x04last\x18\x03 \x01(\rR\x04last\x12\x12\n" +
	"\x04zone\x18\x04 \x01(\tR\x04zone\x12(\n" +
	"\x05class\x18\x05 \x01(\x0e2\x12.fairlead.v1.ClassR\x05class\x12\x12\n" +
	"\x04flow\x18\x06 \x01(\tR\x04flow\x12\x16\n" +
	"\x06labels\x18\a \x03(\tR\x06labels\x12\x1a\n" +
	"\baffinity\x18\b \x01(\tR\baffinity\x12\x1f\n" +
	"\vdeadline_ms\x18\t \x01(\x04R\n" +
	"deadlineMs\"\xdd\x01\n" +
	"\vExplanation\x12\x12\n" +
	"\x04pool\x18\x01 \x01(\tR\x04pool\x12\x18\n" +
	"\averdict\x18\x02 \x01(\tR\averdict\x12\x16\n" +
	"\x06chosen\x18\x03 \x01(\tR\x06chosen\x12%\n" +
	"\x0equeue_position\x18\x04 \x01(\rR\rqueuePosition\x126\n" +
	"\n" +
	"candidates\x18\x05 \x03(\v2\x16.fairlead.v1.CandidateR\n" +
	"candidates\x12)\n" +
	"\x04last\x18\x06 \x03(\v2\x15.fairlead.v1.DecisionR\x04last\"\x94\x03\n" +
	"\tCandidate\x12\x18\n" +
	"\abackend\x18\x01 \x01(\tR\abackend\x12\x1a\n" +
	"\beligible\x18\x02 \x01(\bR\beligible\x12\x17\n" +
	"\awhy_not\x18\x03 \x01(\tR\x06whyNot\x12\x1b\n" +
	"\tin_flight\x18\x04 \x01(\rR\binFlight\x12\x14\n" +
	"\x05slots\x18\x05 \x01(\rR\x05slots\x12\x14\n" +
	"\x05score\x18\x06 \x01(\x01R\x05score\x12\x14\n" +
	"\x05speed\x18\a \x01(\x01R\x05speed\x12\x12\n" +
	"\x04fill\x18\b \x01(\x01R\x04fill\x12\x18\n" +
	"\aforeign\x18\t \x01(\x01R\aforeign\x12 \n" +
	"\vutilization\x18\n" +
	" \x01(\x01R\vutilization\x12\x16\n" +
	"\x06errors\x18\v \x01(\x01R\x06errors\x12\x12\n" +
	"\x04zone\x18\f \x01(\x01R\x04zone\x12\x17\n" +
	"\ain_zone\x18\r \x01(\tR\x06inZone\x12\x14\n" +
	"\x05queue\x18\x0e \x01(\x01R\x05queue\x12\x16\n" +
	"\x06weight\x18\x0f \x01(\x01R\x06weight\x12\x16\n" +
	"\x06affine\x18\x10 \x01(\bR\x06affine\"\xf0\x02\n" +
	"\bDecision\x12\x10\n" +
	"\x03ask\x18\x01 \x01(\x04R\x03ask\x12\x14\n" +
	"\x05proxy\x18\x02 \x01(\tR\x05proxy\x12\x18\n" +
	"\abackend\x18\x03 \x01(\tR\abackend\x12+\n" +
	"\x06reason\x18\x04 \x01(\x0e2\x13.fairlead.v1.ReasonR\x06reason\x12\x14\n" +
	"\x05score\x18\x05 \x01(\x01R\x05score\x12\x1b\n" +
	"\twaited_us\x18\x06 \x01(\x04R\bwaitedUs\x12\x12\n" +
	"\x04free\x18\a \x01(\rR\x04free\x12\x15\n" +
	"\x06ago_ms\x18\b \x01(\x04R\x05agoMs\x12\x12\n" +
	"\x04zone\x18\t \x01(\tR\x04zone\x12\x1b\n" +
	"\tzone_cost\x18\n" +
	" \x01(\x01R\bzoneCost\x12(\n" +
	"\x05class\x18\v \x01(\x0e2\x12.fairlead.v1.ClassR\x05class\x12\x12\n" +
	"\x04flow\x18\f \x01(\tR\x04flow\x12\x14\n" +
	"\x05moved\x18\r \x01(\bR\x05moved\x12\x12\n" +
	"\x04kept\x18\x0e \x01(\bR\x04kept*Y\n" +
	"\x05Class\x12\x15\n" +
	"\x11CLASS_UNSPECIFIED\x10\x00\x12\x12\n" +
	"\x0eCLASS_CRITICAL\x10\x01\x12\x10\n" +
	"\fCLASS_NORMAL\x10\x02\x12\x13\n" +
	"\x0fCLASS_SHEDDABLE\x10\x03*\x9f\x01\n" +
	"\aOutcome\x12\x17\n" +
	"\x13OUTCOME_UNSPECIFIED\x10\x00\x12\x0e\n" +
	"\n" +
	"OUTCOME_OK\x10\x01\x12\x12\n" +
	"\x0eOUTCOME_FAILED\x10\x02\x12\x17\n" +
	"\x13OUTCOME_UNREACHABLE\x10\x03\x12\x15\n" +
	"\x11OUTCOME_CANCELLED\x10\x04\x12\x12\n" +
	"\x0eOUTCOME_UNUSED\x10\x05\x12\x13\n" +
	"\x0fOUTCOME_REVOKED\x10\x06*I\n" +
	"\bProtocol\x12\x18\n" +
	"\x14PROTOCOL_UNSPECIFIED\x10\x00\x12\x11\n" +
	"\rPROTOCOL_HTTP\x10\x01\x12\x10\n" +
	"\fPROTOCOL_TCP\x10\x02*?\n" +
	"\x04Link\x12\x14\n" +
	"\x10LINK_UNSPECIFIED\x10\x00\x12\x10\n" +
	"\fLINK_PROXIED\x10\x01\x12\x0f\n" +
	"\vLINK_DIRECT\x10\x02*\xbb\x02\n" +
	"\x06Reason\x12\x16\n" +
	"\x12REASON_UNSPECIFIED\x10\x00\x12\x15\n" +
	"\x11REASON_NO_BACKEND\x10\x01\x12\x17\n" +
	"\x13REASON_ALL_EXCLUDED\x10\x02\x12\x15\n" +
	"\x11REASON_QUEUE_FULL\x10\x03\x12\x18\n" +
	"\x14REASON_QUEUE_TIMEOUT\x10\x04\x12\x17\n" +
	"\x13REASON_UNKNOWN_POOL\x10\x05\x12\x15\n" +
	"\x11REASON_OVER_LIMIT\x10\x06\x12\x17\n" +
	"\x13REASON_BACKEND_LOST\x10\a\x12\x15\n" +
	"\x11REASON_TIME_LIMIT\x10\b\x12\x15\n" +
	"\x11REASON_NOT_COMING\x10\t\x12\x13\n" +
	"\x0fREASON_TOO_LATE\x10\n" +
	"\x12\x17\n" +
	"\x13REASON_RETRY_BUDGET\x10\v\x12\x13\n" +
	"\x0fREASON_NO_MATCH\x10\f*\x82\x01\n" +
	"\tRejection\x12\x19\n" +
	"\x15REJECTION_UNSPECIFIED\x10\x00\x12\x12\n" +
	"\x0eREJECTION_FULL\x10\x01\x12\x16\n" +
	"\x12REJECTION_DRAINING\x10\x02\x12\x19\n" +
	"\x15REJECTION_WRONG_EPOCH\x10\x03\x12\x13\n" +
	"\x0fREJECTION_OTHER\x10\x042S\n" +
	"\aProxies\x12H\n" +
	"\aSession\x12\x19.fairlead.v1.ProxyMessage\x1a\x1e.fairlead.v1.ControllerMessage(\x010\x012O\n" +
	"\x06Agents\x12E\n" +
	"\aSession\x12\x19.fairlead.v1.AgentMessage\x1a\x1b.fairlead.v1.BackendMessage(\x010\x012L\n" +
	"\aLocator\x12A\n" +
	"\x06Choose\x12\x1a.fairlead.v1.ChooseRequest\x1a\x1b.fairlead.v1.ChooseResponse2\x96\a\n" +
	"\x05Tools\x12E\n" +
	"\vGetSnapshot\x12\x1f.fairlead.v1.GetSnapshotRequest\x1a\x15.fairlead.v1.Snapshot\x12;\n" +
	"\x05Watch\x12\x19.fairlead.v1.WatchRequest\x1a\x15.fairlead.v1.Snapshot0\x01\x12>\n" +
	"\x05Drain\x12\x19.fairlead.v1.DrainRequest\x1a\x1a.fairlead.v1.DrainResponse\x12D\n" +
	"\aUndrain\x12\x1b.fairlead.v1.UndrainRequest\x1a\x1c.fairlead.v1.UndrainResponse\x12A\n" +
	"\x06Adjust\x12\x1a.fairlead.v1.AdjustRequest\x1a\x1b.fairlead.v1.AdjustResponse\x12_\n" +
	"\x10ListStoreMembers\x12$.fairlead.v1.ListStoreMembersRequest\x1a%.fairlead.v1.ListStoreMembersResponse\x12Y\n" +
	"\x0eAddStoreMember\x12\".fairlead.v1.AddStoreMemberRequest\x1a#.fairlead.v1.AddStoreMemberResponse\x12b\n" +
	"\x11RemoveStoreMember\x12%.fairlead.v1.RemoveStoreMemberRequest\x1a&.fairlead.v1.RemoveStoreMemberResponse\x12R\n" +
	"\vBackUpStore\x12\x1f.fairlead.v1.BackUpStoreRequest\x1a .fairlead.v1.BackUpStoreResponse0\x01\x12A\n" +
	"\x06Reload\x12\x1a.fairlead.v1.ReloadRequest\x1a\x1b.fairlead.v1.ReloadResponse\x12G\n" +
	"\bMovePool\x12\x1c.fairlead.v1.MovePoolRequest\x1a\x1d.fairlead.v1.MovePoolResponse\x12@\n" +
	"\aExplain\x12\x1b.fairlead.v1.ExplainRequest\x1a\x18.fairlead.v1.ExplanationB9Z7github.com/fairlead/fairlead/api/fairlead/v1;fairleadv1b\x06proto3"

var (
	file_fairlead_v1_fairlead_proto_rawDescOnce sync.Once
	file_fairlead_v1_fairlead_proto_rawDescData []byte
)

func file_fairlead_v1_fairlead_proto_rawDescGZIP() []byte {
	file_fairlead_v1_fairlead_proto_rawDescOnce.Do(func() {
		file_fairlead_v1_fairlead_proto_rawDescData = protoimpl.X.CompressGZIP(unsafe.Slice(unsafe.StringData(file_fairlead_v1_fairlead_proto_rawDesc), len(file_fairlead_v1_fairlead_proto_rawDesc)))
	})
	return file_fairlead_v1_fairlead_proto_rawDescData
}

var file_fairlead_v1_fairlead_proto_enumTypes = make([]protoimpl.EnumInfo, 7)
var file_fairlead_v1_fairlead_proto_msgTypes = make([]protoimpl.MessageInfo, 86)
var file_fairlead_v1_fairlead_proto_goTypes = []any{
	(Class)(0),                        // 0: fairlead.v1.Class
	(Outcome)(0),                      // 1: fairlead.v1.Outcome
	(Protocol)(0),                     // 2: fairlead.v1.Protocol
	(Link)(0),                         // 3: fairlead.v1.Link
	(Reason)(0),                       // 4: fairlead.v1.Reason
	(Rejection)(0),                    // 5: fairlead.v1.Rejection
	(Source_Kind)(0),                  // 6: fairlead.v1.Source.Kind
	(*ProxyMessage)(nil),              // 7: fairlead.v1.ProxyMessage
	(*PoolHello)(nil),                 // 8: fairlead.v1.PoolHello
	(*Use)(nil),                       // 9: fairlead.v1.Use
	(*PoolSeen)(nil),                  // 10: fairlead.v1.PoolSeen
	(*Versions)(nil),                  // 11: fairlead.v1.Versions
	(*ProxyHello)(nil),                // 12: fairlead.v1.ProxyHello
	(*LiveGrant)(nil),                 // 13: fairlead.v1.LiveGrant
	(*GrantID)(nil),                   // 14: fairlead.v1.GrantID
	(*Ask)(nil),                       // 15: fairlead.v1.Ask
	(*About)(nil),                     // 16: fairlead.v1.About
	(*BackendSeen)(nil),               // 17: fairlead.v1.BackendSeen
	(*Withdrawal)(nil),                // 18: fairlead.v1.Withdrawal
	(*Done)(nil),                      // 19: fairlead.v1.Done
	(*ProxyStatus)(nil),               // 20: fairlead.v1.ProxyStatus
	(*BoundListener)(nil),             // 21: fairlead.v1.BoundListener
	(*ControllerMessage)(nil),         // 22: fairlead.v1.ControllerMessage
	(*Leads)(nil),                     // 23: fairlead.v1.Leads
	(*Lead)(nil),                      // 24: fairlead.v1.Lead
	(*PoolBackends)(nil),              // 25: fairlead.v1.PoolBackends
	(*LastBackends)(nil),              // 26: fairlead.v1.LastBackends
	(*ChoosableBackend)(nil),          // 27: fairlead.v1.ChoosableBackend
	(*Welcome)(nil),                   // 28: fairlead.v1.Welcome
	(*Table)(nil),                     // 29: fairlead.v1.Table
	(*Listener)(nil),                  // 30: fairlead.v1.Listener
	(*Timeouts)(nil),                  // 31: fairlead.v1.Timeouts
	(*ListenerTLS)(nil),               // 32: fairlead.v1.ListenerTLS
	(*ACME)(nil),                      // 33: fairlead.v1.ACME
	(*CertificateFiles)(nil),          // 34: fairlead.v1.CertificateFiles
	(*Route)(nil),                     // 35: fairlead.v1.Route
	(*PoolEntry)(nil),                 // 36: fairlead.v1.PoolEntry
	(*BackendTLS)(nil),                // 37: fairlead.v1.BackendTLS
	(*Classify)(nil),                  // 38: fairlead.v1.Classify
	(*Source)(nil),                    // 39: fairlead.v1.Source
	(*Grant)(nil),                     // 40: fairlead.v1.Grant
	(*Revoke)(nil),                    // 41: fairlead.v1.Revoke
	(*Refusal)(nil),                   // 42: fairlead.v1.Refusal
	(*AgentMessage)(nil),              // 43: fairlead.v1.AgentMessage
	(*Answer)(nil),                    // 44: fairlead.v1.Answer
	(*AgentHello)(nil),                // 45: fairlead.v1.AgentHello
	(*OrcaLoadReport)(nil),            // 46: fairlead.v1.OrcaLoadReport
	(*BackendMessage)(nil),            // 47: fairlead.v1.BackendMessage
	(*BackendWelcome)(nil),            // 48: fairlead.v1.BackendWelcome
	(*Assignment)(nil),                // 49: fairlead.v1.Assignment
	(*Keys)(nil),                      // 50: fairlead.v1.Keys
	(*Key)(nil),                       // 51: fairlead.v1.Key
	(*BackendState)(nil),              // 52: fairlead.v1.BackendState
	(*ChooseRequest)(nil),             // 53: fairlead.v1.ChooseRequest
	(*ChooseResponse)(nil),            // 54: fairlead.v1.ChooseResponse
	(*ChosenProxy)(nil),               // 55: fairlead.v1.ChosenProxy
	(*GetSnapshotRequest)(nil),        // 56: fairlead.v1.GetSnapshotRequest
	(*WatchRequest)(nil),              // 57: fairlead.v1.WatchRequest
	(*Snapshot)(nil),                  // 58: fairlead.v1.Snapshot
	(*ControllerStanding)(nil),        // 59: fairlead.v1.ControllerStanding
	(*PoolStatus)(nil),                // 60: fairlead.v1.PoolStatus
	(*BackendStatus)(nil),             // 61: fairlead.v1.BackendStatus
	(*ProxyStanding)(nil),             // 62: fairlead.v1.ProxyStanding
	(*DrainRequest)(nil),              // 63: fairlead.v1.DrainRequest
	(*DrainResponse)(nil),             // 64: fairlead.v1.DrainResponse
	(*AdjustRequest)(nil),             // 65: fairlead.v1.AdjustRequest
	(*AdjustResponse)(nil),            // 66: fairlead.v1.AdjustResponse
	(*ListStoreMembersRequest)(nil),   // 67: fairlead.v1.ListStoreMembersRequest
	(*ListStoreMembersResponse)(nil),  // 68: fairlead.v1.ListStoreMembersResponse
	(*StoreMember)(nil),               // 69: fairlead.v1.StoreMember
	(*AddStoreMemberRequest)(nil),     // 70: fairlead.v1.AddStoreMemberRequest
	(*AddStoreMemberResponse)(nil),    // 71: fairlead.v1.AddStoreMemberResponse
	(*RemoveStoreMemberRequest)(nil),  // 72: fairlead.v1.RemoveStoreMemberRequest
	(*RemoveStoreMemberResponse)(nil), // 73: fairlead.v1.RemoveStoreMemberResponse
	(*BackUpStoreRequest)(nil),        // 74: fairlead.v1.BackUpStoreRequest
	(*BackUpStoreResponse)(nil),       // 75: fairlead.v1.BackUpStoreResponse
	(*ReloadRequest)(nil),             // 76: fairlead.v1.ReloadRequest
	(*ReloadResponse)(nil),            // 77: fairlead.v1.ReloadResponse
	(*MovePoolRequest)(nil),           // 78: fairlead.v1.MovePoolRequest
	(*MovePoolResponse)(nil),          // 79: fairlead.v1.MovePoolResponse
	(*UndrainRequest)(nil),            // 80: fairlead.v1.UndrainRequest
	(*UndrainResponse)(nil),           // 81: fairlead.v1.UndrainResponse
	(*ExplainRequest)(nil),            // 82: fairlead.v1.ExplainRequest
	(*Explanation)(nil),               // 83: fairlead.v1.Explanation
	(*Candidate)(nil),                 // 84: fairlead.v1.Candidate
	(*Decision)(nil),                  // 85: fairlead.v1.Decision
	nil,                               // 86: fairlead.v1.LastBackends.PoolsEntry
	nil,                               // 87: fairlead.v1.Classify.LabelHeadersEntry
	nil,                               // 88: fairlead.v1.OrcaLoadReport.RequestCostEntry
	nil,                               // 89: fairlead.v1.OrcaLoadReport.UtilizationEntry
	nil,                               // 90: fairlead.v1.OrcaLoadReport.NamedMetricsEntry
	nil,                               // 91: fairlead.v1.PoolStatus.RefusedEntry
	nil,                               // 92: fairlead.v1.PoolStatus.QueueByClassEntry
}
var file_fairlead_v1_fairlead_proto_depIdxs = []int32{
	12,  // 0: fairlead.v1.ProxyMessage.hello:type_name -> fairlead.v1.ProxyHello
	19,  // 1: fairlead.v1.ProxyMessage.dones:type_name -> fairlead.v1.Done
	15,  // 2: fairlead.v1.ProxyMessage.asks:type_name -> fairlead.v1.Ask
	18,  // 3: fairlead.v1.ProxyMessage.withdrawals:type_name -> fairlead.v1.Withdrawal
	20,  // 4: fairlead.v1.ProxyMessage.status:type_name -> fairlead.v1.ProxyStatus
	10,  // 5: fairlead.v1.ProxyMessage.pools:type_name -> fairlead.v1.PoolSeen
	9,   // 6: fairlead.v1.ProxyMessage.uses:type_name -> fairlead.v1.Use
	8,   // 7: fairlead.v1.ProxyMessage.pool_hellos:type_name -> fairlead.v1.PoolHello
	13,  // 8: fairlead.v1.PoolHello.live:type_name -> fairlead.v1.LiveGrant
	14,  // 9: fairlead.v1.Use.grant:type_name -> fairlead.v1.GrantID
	16,  // 10: fairlead.v1.Use.about:type_name -> fairlead.v1.About
	17,  // 11: fairlead.v1.PoolSeen.seen:type_name -> fairlead.v1.BackendSeen
	11,  // 12: fairlead.v1.ProxyHello.versions:type_name -> fairlead.v1.Versions
	14,  // 13: fairlead.v1.LiveGrant.id:type_name -> fairlead.v1.GrantID
	17,  // 14: fairlead.v1.Ask.seen:type_name -> fairlead.v1.BackendSeen
	16,  // 15: fairlead.v1.Ask.about:type_name -> fairlead.v1.About
	0,   // 16: fairlead.v1.About.class:type_name -> fairlead.v1.Class
	46,  // 17: fairlead.v1.BackendSeen.load:type_name -> fairlead.v1.OrcaLoadReport
	14,  // 18: fairlead.v1.Done.grant:type_name -> fairlead.v1.GrantID
	1,   // 19: fairlead.v1.Done.outcome:type_name -> fairlead.v1.Outcome
	17,  // 20: fairlead.v1.Done.seen:type_name -> fairlead.v1.BackendSeen
	21,  // 21: fairlead.v1.ProxyStatus.listeners:type_name -> fairlead.v1.BoundListener
	28,  // 22: fairlead.v1.ControllerMessage.welcome:type_name -> fairlead.v1.Welcome
	29,  // 23: fairlead.v1.ControllerMessage.table:type_name -> fairlead.v1.Table
	40,  // 24: fairlead.v1.ControllerMessage.grants:type_name -> fairlead.v1.Grant
	42,  // 25: fairlead.v1.ControllerMessage.refusals:type_name -> fairlead.v1.Refusal
	41,  // 26: fairlead.v1.ControllerMessage.revokes:type_name -> fairlead.v1.Revoke
	25,  // 27: fairlead.v1.ControllerMessage.backends:type_name -> fairlead.v1.PoolBackends
	14,  // 28: fairlead.v1.ControllerMessage.reclaims:type_name -> fairlead.v1.GrantID
	23,  // 29: fairlead.v1.ControllerMessage.leads:type_name -> fairlead.v1.Leads
	24,  // 30: fairlead.v1.Leads.leads:type_name -> fairlead.v1.Lead
	27,  // 31: fairlead.v1.PoolBackends.backends:type_name -> fairlead.v1.ChoosableBackend
	86,  // 32: fairlead.v1.LastBackends.pools:type_name -> fairlead.v1.LastBackends.PoolsEntry
	30,  // 33: fairlead.v1.Table.listeners:type_name -> fairlead.v1.Listener
	35,  // 34: fairlead.v1.Table.routes:type_name -> fairlead.v1.Route
	36,  // 35: fairlead.v1.Table.pools:type_name -> fairlead.v1.PoolEntry
	2,   // 36: fairlead.v1.Listener.protocol:type_name -> fairlead.v1.Protocol
	32,  // 37: fairlead.v1.Listener.tls:type_name -> fairlead.v1.ListenerTLS
	31,  // 38: fairlead.v1.Listener.timeouts:type_name -> fairlead.v1.Timeouts
	34,  // 39: fairlead.v1.ListenerTLS.certificates:type_name -> fairlead.v1.CertificateFiles
	33,  // 40: fairlead.v1.ListenerTLS.acme:type_name -> fairlead.v1.ACME
	0,   // 41: fairlead.v1.Route.class:type_name -> fairlead.v1.Class
	3,   // 42: fairlead.v1.PoolEntry.link:type_name -> fairlead.v1.Link
	38,  // 43: fairlead.v1.PoolEntry.classify:type_name -> fairlead.v1.Classify
	37,  // 44: fairlead.v1.PoolEntry.tls:type_name -> fairlead.v1.BackendTLS
	39,  // 45: fairlead.v1.Classify.flow:type_name -> fairlead.v1.Source
	39,  // 46: fairlead.v1.Classify.affinity:type_name -> fairlead.v1.Source
	87,  // 47: fairlead.v1.Classify.label_headers:type_name -> fairlead.v1.Classify.LabelHeadersEntry
	6,   // 48: fairlead.v1.Source.kind:type_name -> fairlead.v1.Source.Kind
	14,  // 49: fairlead.v1.Grant.id:type_name -> fairlead.v1.GrantID
	14,  // 50: fairlead.v1.Revoke.grant:type_name -> fairlead.v1.GrantID
	4,   // 51: fairlead.v1.Revoke.reason:type_name -> fairlead.v1.Reason
	4,   // 52: fairlead.v1.Refusal.reason:type_name -> fairlead.v1.Reason
	45,  // 53: fairlead.v1.AgentMessage.hello:type_name -> fairlead.v1.AgentHello
	46,  // 54: fairlead.v1.AgentMessage.report:type_name -> fairlead.v1.OrcaLoadReport
	44,  // 55: fairlead.v1.AgentMessage.answers:type_name -> fairlead.v1.Answer
	14,  // 56: fairlead.v1.AgentMessage.arrivals:type_name -> fairlead.v1.GrantID
	19,  // 57: fairlead.v1.AgentMessage.dones:type_name -> fairlead.v1.Done
	14,  // 58: fairlead.v1.Answer.grant:type_name -> fairlead.v1.GrantID
	5,   // 59: fairlead.v1.Answer.rejection:type_name -> fairlead.v1.Rejection
	11,  // 60: fairlead.v1.AgentHello.versions:type_name -> fairlead.v1.Versions
	13,  // 61: fairlead.v1.AgentHello.live:type_name -> fairlead.v1.LiveGrant
	88,  // 62: fairlead.v1.OrcaLoadReport.request_cost:type_name -> fairlead.v1.OrcaLoadReport.RequestCostEntry
	89,  // 63: fairlead.v1.OrcaLoadReport.utilization:type_name -> fairlead.v1.OrcaLoadReport.UtilizationEntry
	90,  // 64: fairlead.v1.OrcaLoadReport.named_metrics:type_name -> fairlead.v1.OrcaLoadReport.NamedMetricsEntry
	48,  // 65: fairlead.v1.BackendMessage.welcome:type_name -> fairlead.v1.BackendWelcome
	52,  // 66: fairlead.v1.BackendMessage.state:type_name -> fairlead.v1.BackendState
	49,  // 67: fairlead.v1.BackendMessage.assignments:type_name -> fairlead.v1.Assignment
	41,  // 68: fairlead.v1.BackendMessage.revokes:type_name -> fairlead.v1.Revoke
	50,  // 69: fairlead.v1.BackendMessage.keys:type_name -> fairlead.v1.Keys
	14,  // 70: fairlead.v1.Assignment.grant:type_name -> fairlead.v1.GrantID
	16,  // 71: fairlead.v1.Assignment.about:type_name -> fairlead.v1.About
	51,  // 72: fairlead.v1.Keys.keys:type_name -> fairlead.v1.Key
	55,  // 73: fairlead.v1.ChooseResponse.proxies:type_name -> fairlead.v1.ChosenProxy
	2,   // 74: fairlead.v1.ChooseResponse.protocol:type_name -> fairlead.v1.Protocol
	3,   // 75: fairlead.v1.ChooseResponse.link:type_name -> fairlead.v1.Link
	60,  // 76: fairlead.v1.Snapshot.pools:type_name -> fairlead.v1.PoolStatus
	62,  // 77: fairlead.v1.Snapshot.proxies:type_name -> fairlead.v1.ProxyStanding
	30,  // 78: fairlead.v1.Snapshot.listeners:type_name -> fairlead.v1.Listener
	59,  // 79: fairlead.v1.Snapshot.controllers:type_name -> fairlead.v1.ControllerStanding
	61,  // 80: fairlead.v1.PoolStatus.backends:type_name -> fairlead.v1.BackendStatus
	91,  // 81: fairlead.v1.PoolStatus.refused:type_name -> fairlead.v1.PoolStatus.RefusedEntry
	92,  // 82: fairlead.v1.PoolStatus.queue_by_class:type_name -> fairlead.v1.PoolStatus.QueueByClassEntry
	46,  // 83: fairlead.v1.BackendStatus.report:type_name -> fairlead.v1.OrcaLoadReport
	20,  // 84: fairlead.v1.ProxyStanding.status:type_name -> fairlead.v1.ProxyStatus
	69,  // 85: fairlead.v1.ListStoreMembersResponse.members:type_name -> fairlead.v1.StoreMember
	0,   // 86: fairlead.v1.ExplainRequest.class:type_name -> fairlead.v1.Class
	84,  // 87: fairlead.v1.Explanation.candidates:type_name -> fairlead.v1.Candidate
	85,  // 88: fairlead.v1.Explanation.last:type_name -> fairlead.v1.Decision
	4,   // 89: fairlead.v1.Decision.reason:type_name -> fairlead.v1.Reason
	0,   // 90: fairlead.v1.Decision.class:type_name -> fairlead.v1.Class
	25,  // 91: fairlead.v1.LastBackends.PoolsEntry.value:type_name -> fairlead.v1.PoolBackends
	7,   // 92: fairlead.v1.Proxies.Session:input_type -> fairlead.v1.ProxyMessage
	43,  // 93: fairlead.v1.Agents.Session:input_type -> fairlead.v1.AgentMessage
	53,  // 94: fairlead.v1.Locator.Choose:input_type -> fairlead.v1.ChooseRequest
	56,  // 95: fairlead.v1.Tools.GetSnapshot:input_type -> fairlead.v1.GetSnapshotRequest
	57,  // 96: fairlead.v1.Tools.Watch:input_type -> fairlead.v1.WatchRequest
	63,  // 97: fairlead.v1.Tools.Drain:input_type -> fairlead.v1.DrainRequest
	80,  // 98: fairlead.v1.Tools.Undrain:input_type -> fairlead.v1.UndrainRequest
	65,  // 99: fairlead.v1.Tools.Adjust:input_type -> fairlead.v1.AdjustRequest
	67,  // 100: fairlead.v1.Tools.ListStoreMembers:input_type -> fairlead.v1.ListStoreMembersRequest
	70,  // 101: fairlead.v1.Tools.AddStoreMember:input_type -> fairlead.v1.AddStoreMemberRequest
	72,  // 102: fairlead.v1.Tools.RemoveStoreMember:input_type -> fairlead.v1.RemoveStoreMemberRequest
	74,  // 103: fairlead.v1.Tools.BackUpStore:input_type -> fairlead.v1.BackUpStoreRequest
	76,  // 104: fairlead.v1.Tools.Reload:input_type -> fairlead.v1.ReloadRequest
	78,  // 105: fairlead.v1.Tools.MovePool:input_type -> fairlead.v1.MovePoolRequest
	82,  // 106: fairlead.v1.Tools.Explain:input_type -> fairlead.v1.ExplainRequest
	22,  // 107: fairlead.v1.Proxies.Session:output_type -> fairlead.v1.ControllerMessage
	47,  // 108: fairlead.v1.Agents.Session:output_type -> fairlead.v1.BackendMessage
	54,  // 109: fairlead.v1.Locator.Choose:output_type -> fairlead.v1.ChooseResponse
	58,  // 110: fairlead.v1.Tools.GetSnapshot:output_type -> fairlead.v1.Snapshot
	58,  // 111: fairlead.v1.Tools.Watch:output_type -> fairlead.v1.Snapshot
	64,  // 112: fairlead.v1.Tools.Drain:output_type -> fairlead.v1.DrainResponse
	81,  // 113: fairlead.v1.Tools.Undrain:output_type -> fairlead.v1.UndrainResponse
	66,  // 114: fairlead.v1.Tools.Adjust:output_type -> fairlead.v1.AdjustResponse
	68,  // 115: fairlead.v1.Tools.ListStoreMembers:output_type -> fairlead.v1.ListStoreMembersResponse
	71,  // 116: fairlead.v1.Tools.AddStoreMember:output_type -> fairlead.v1.AddStoreMemberResponse
	73,  // 117: fairlead.v1.Tools.RemoveStoreMember:output_type -> fairlead.v1.RemoveStoreMemberResponse
	75,  // 118: fairlead.v1.Tools.BackUpStore:output_type -> fairlead.v1.BackUpStoreResponse
	77,  // 119: fairlead.v1.Tools.Reload:output_type -> fairlead.v1.ReloadResponse
	79,  // 120: fairlead.v1.Tools.MovePool:output_type -> fairlead.v1.MovePoolResponse
	83,  // 121: fairlead.v1.Tools.Explain:output_type -> fairlead.v1.Explanation
	107, // [107:122] is the sub-list for method output_type
	92,  // [92:107] is the sub-list for method input_type
	92,  // [92:92] is the sub-list for extension type_name
	92,  // [92:92] is the sub-list for extension extendee
	0,   // [0:92] is the sub-list for field type_name
}

func init() { file_fairlead_v1_fairlead_proto_init() }
func file_fairlead_v1_fairlead_proto_init() {
	if File_fairlead_v1_fairlead_proto != nil {
		return
	}
	file_fairlead_v1_fairlead_proto_msgTypes[24].OneofWrappers = []any{}
	file_fairlead_v1_fairlead_proto_msgTypes[58].OneofWrappers = []any{}
	type x struct{}
	out := protoimpl.TypeBuilder{
		File: protoimpl.DescBuilder{
			GoPackagePath: reflect.TypeOf(x{}).PkgPath(),
			RawDescriptor: unsafe.Slice(unsafe.StringData(file_fairlead_v1_fairlead_proto_rawDesc), len(file_fairlead_v1_fairlead_proto_rawDesc)),
			NumEnums:      7,
			NumMessages:   86,
			NumExtensions: 0,
			NumServices:   4,
		},
		GoTypes:           file_fairlead_v1_fairlead_proto_goTypes,
		DependencyIndexes: file_fairlead_v1_fairlead_proto_depIdxs,
		EnumInfos:         file_fairlead_v1_fairlead_proto_enumTypes,
		MessageInfos:      file_fairlead_v1_fairlead_proto_msgTypes,
	}.Build()
	File_fairlead_v1_fairlead_proto = out.File
	file_fairlead_v1_fairlead_proto_goTypes = nil
	file_fairlead_v1_fairlead_proto_depIdxs = nil
}
