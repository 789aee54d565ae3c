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

// Code generated by protoc-gen-go-grpc. DO NOT EDIT.
// versions:
// - protoc-gen-go-grpc v1.6.2
// - protoc             (unknown)
// source: fairlead/v1/fairlead.proto

package fairleadv1

import (
	context "context"
	grpc "google.golang.org/grpc"
	codes "google.golang.org/grpc/codes"
	status "google.golang.org/grpc/status"
)

// This is a compile-time assertion to ensure that this generated file
// is compatible with the grpc package it is being compiled against.
// Requires gRPC-Go v1.64.0 or later.
const _ = grpc.SupportPackageIsVersion9

const (
	Proxies_Session_FullMethodName = "/fairlead.v1.Proxies/Session"
)

// ProxiesClient is the client API for Proxies service.
//
// For semantics around ctx use and closing/ending streaming RPCs, please refer to https://pkg.go.dev/google.golang.org/grpc/?tab=doc#ClientConn.NewStream.
//
// Proxies is what the controller offers to proxies.
type ProxiesClient interface {
	// Session is one proxy's conversation, as long as the proxy lives.
	Session(ctx context.Context, opts ...grpc.CallOption) (grpc.BidiStreamingClient[ProxyMessage, ControllerMessage], error)
}

type proxiesClient struct {
	cc grpc.ClientConnInterface
}

func NewProxiesClient(cc grpc.ClientConnInterface) ProxiesClient {
	return &proxiesClient{cc}
}

func (c *proxiesClient) Session(ctx context.Context, opts ...grpc.CallOption) (grpc.BidiStreamingClient[ProxyMessage, ControllerMessage], error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	stream, err := c.cc.NewStream(ctx, &Proxies_ServiceDesc.Streams[0], Proxies_Session_FullMethodName, cOpts...)
	if err != nil {
		return nil, err
	}
	x := &grpc.GenericClientStream[ProxyMessage, ControllerMessage]{ClientStream: stream}
	return x, nil
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type Proxies_SessionClient = grpc.BidiStreamingClient[ProxyMessage, ControllerMessage]

// ProxiesServer is the server API for Proxies service.
// All implementations must embed UnimplementedProxiesServer
// for forward compatibility.
//
// Proxies is what the controller offers to proxies.
type ProxiesServer interface {
	// Session is one proxy's conversation, as long as the proxy lives.
	Session(grpc.BidiStreamingServer[ProxyMessage, ControllerMessage]) error
	mustEmbedUnimplementedProxiesServer()
}

// UnimplementedProxiesServer must be embedded to have
// forward compatible implementations.
//
// NOTE: this should be embedded by value instead of pointer to avoid a nil
// pointer dereference when methods are called.
type UnimplementedProxiesServer struct{}

func (UnimplementedProxiesServer) Session(grpc.BidiStreamingServer[ProxyMessage, ControllerMessage]) error {
	return status.Error(codes.Unimplemented, "method Session not implemented")
}
func (UnimplementedProxiesServer) mustEmbedUnimplementedProxiesServer() {}
func (UnimplementedProxiesServer) testEmbeddedByValue()                 {}

// UnsafeProxiesServer may be embedded to opt out of forward compatibility for this service.
// Use of this interface is not recommended, as added methods to ProxiesServer will
// result in compilation errors.
type UnsafeProxiesServer interface {
	mustEmbedUnimplementedProxiesServer()
}

func RegisterProxiesServer(s grpc.ServiceRegistrar, srv ProxiesServer) {
	// If the following call panics, it indicates UnimplementedProxiesServer was
	// embedded by pointer and is nil.  This will cause panics if an
	// unimplemented method is ever invoked, so we test this at initialization
	// time to prevent it from happening at runtime later due to I/O.
	if t, ok := srv.(interface{ testEmbeddedByValue() }); ok {
		t.testEmbeddedByValue()
	}
	s.RegisterService(&Proxies_ServiceDesc, srv)
}

func _Proxies_Session_Handler(srv interface{}, stream grpc.ServerStream) error {
	return srv.(ProxiesServer).Session(&grpc.GenericServerStream[ProxyMessage, ControllerMessage]{ServerStream: stream})
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type Proxies_SessionServer = grpc.BidiStreamingServer[ProxyMessage, ControllerMessage]

// Proxies_ServiceDesc is the grpc.ServiceDesc for Proxies service.
// It's only intended for direct use with grpc.RegisterService,
// and not to be introspected or modified (even as a copy)
var Proxies_ServiceDesc = grpc.ServiceDesc{
	ServiceName: "fairlead.v1.Proxies",
	HandlerType: (*ProxiesServer)(nil),
	Methods:     []grpc.MethodDesc{},
	Streams: []grpc.StreamDesc{
		{
			StreamName:    "Session",
			Handler:       _Proxies_Session_Handler,
			ServerStreams: true,
			ClientStreams: true,
		},
	},
	Metadata: "fairlead/v1/fairlead.proto",
}

const (
	Agents_Session_FullMethodName = "/fairlead.v1.Agents/Session"
)

// AgentsClient is the client API for Agents service.
//
// For semantics around ctx use and closing/ending streaming RPCs, please refer to https://pkg.go.dev/google.golang.org/grpc/?tab=doc#ClientConn.NewStream.
//
// Agents is what the controller offers to agents and to servers that report for
// themselves.
type AgentsClient interface {
	// Session is one backend's conversation.
	Session(ctx context.Context, opts ...grpc.CallOption) (grpc.BidiStreamingClient[AgentMessage, BackendMessage], error)
}

type agentsClient struct {
	cc grpc.ClientConnInterface
}

func NewAgentsClient(cc grpc.ClientConnInterface) AgentsClient {
	return &agentsClient{cc}
}

func (c *agentsClient) Session(ctx context.Context, opts ...grpc.CallOption) (grpc.BidiStreamingClient[AgentMessage, BackendMessage], error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	stream, err := c.cc.NewStream(ctx, &Agents_ServiceDesc.Streams[0], Agents_Session_FullMethodName, cOpts...)
	if err != nil {
		return nil, err
	}
	x := &grpc.GenericClientStream[AgentMessage, BackendMessage]{ClientStream: stream}
	return x, nil
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type Agents_SessionClient = grpc.BidiStreamingClient[AgentMessage, BackendMessage]

// AgentsServer is the server API for Agents service.
// All implementations must embed UnimplementedAgentsServer
// for forward compatibility.
//
// Agents is what the controller offers to agents and to servers that report for
// themselves.
type AgentsServer interface {
	// Session is one backend's conversation.
	Session(grpc.BidiStreamingServer[AgentMessage, BackendMessage]) error
	mustEmbedUnimplementedAgentsServer()
}

// UnimplementedAgentsServer must be embedded to have
// forward compatible implementations.
//
// NOTE: this should be embedded by value instead of pointer to avoid a nil
// pointer dereference when methods are called.
type UnimplementedAgentsServer struct{}

func (UnimplementedAgentsServer) Session(grpc.BidiStreamingServer[AgentMessage, BackendMessage]) error {
	return status.Error(codes.Unimplemented, "method Session not implemented")
}
func (UnimplementedAgentsServer) mustEmbedUnimplementedAgentsServer() {}
func (UnimplementedAgentsServer) testEmbeddedByValue()                {}

// UnsafeAgentsServer may be embedded to opt out of forward compatibility for this service.
// Use of this interface is not recommended, as added methods to AgentsServer will
// result in compilation errors.
type UnsafeAgentsServer interface {
	mustEmbedUnimplementedAgentsServer()
}

func RegisterAgentsServer(s grpc.ServiceRegistrar, srv AgentsServer) {
	// If the following call panics, it indicates UnimplementedAgentsServer was
	// embedded by pointer and is nil.  This will cause panics if an
	// unimplemented method is ever invoked, so we test this at initialization
	// time to prevent it from happening at runtime later due to I/O.
	if t, ok := srv.(interface{ testEmbeddedByValue() }); ok {
		t.testEmbeddedByValue()
	}
	s.RegisterService(&Agents_ServiceDesc, srv)
}

func _Agents_Session_Handler(srv interface{}, stream grpc.ServerStream) error {
	return srv.(AgentsServer).Session(&grpc.GenericServerStream[AgentMessage, BackendMessage]{ServerStream: stream})
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type Agents_SessionServer = grpc.BidiStreamingServer[AgentMessage, BackendMessage]

// Agents_ServiceDesc is the grpc.ServiceDesc for Agents service.
// It's only intended for direct use with grpc.RegisterService,
// and not to be introspected or modified (even as a copy)
var Agents_ServiceDesc = grpc.ServiceDesc{
	ServiceName: "fairlead.v1.Agents",
	HandlerType: (*AgentsServer)(nil),
	Methods:     []grpc.MethodDesc{},
	Streams: []grpc.StreamDesc{
		{
			StreamName:    "Session",
			Handler:       _Agents_Session_Handler,
			ServerStreams: true,
			ClientStreams: true,
		},
	},
	Metadata: "fairlead/v1/fairlead.proto",
}

const (
	Locator_Choose_FullMethodName = "/fairlead.v1.Locator/Choose"
)

// LocatorClient is the client API for Locator service.
//
// For semantics around ctx use and closing/ending streaming RPCs, please refer to https://pkg.go.dev/google.golang.org/grpc/?tab=doc#ClientConn.NewStream.
//
// Locator is what the controller offers to clients, before they send a request.
type LocatorClient interface {
	// Choose names the proxies to send requests to, best first.
	Choose(ctx context.Context, in *ChooseRequest, opts ...grpc.CallOption) (*ChooseResponse, error)
}

type locatorClient struct {
	cc grpc.ClientConnInterface
}

func NewLocatorClient(cc grpc.ClientConnInterface) LocatorClient {
	return &locatorClient{cc}
}

func (c *locatorClient) Choose(ctx context.Context, in *ChooseRequest, opts ...grpc.CallOption) (*ChooseResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(ChooseResponse)
	err := c.cc.Invoke(ctx, Locator_Choose_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// LocatorServer is the server API for Locator service.
// All implementations must embed UnimplementedLocatorServer
// for forward compatibility.
//
// Locator is what the controller offers to clients, before they send a request.
type LocatorServer interface {
	// Choose names the proxies to send requests to, best first.
	Choose(context.Context, *ChooseRequest) (*ChooseResponse, error)
	mustEmbedUnimplementedLocatorServer()
}

// UnimplementedLocatorServer must be embedded to have
// forward compatible implementations.
//
// NOTE: this should be embedded by value instead of pointer to avoid a nil
// pointer dereference when methods are called.
type UnimplementedLocatorServer struct{}

func (UnimplementedLocatorServer) Choose(context.Context, *ChooseRequest) (*ChooseResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Choose not implemented")
}
func (UnimplementedLocatorServer) mustEmbedUnimplementedLocatorServer() {}
func (UnimplementedLocatorServer) testEmbeddedByValue()                 {}

// UnsafeLocatorServer may be embedded to opt out of forward compatibility for this service.
// Use of this interface is not recommended, as added methods to LocatorServer will
// result in compilation errors.
type UnsafeLocatorServer interface {
	mustEmbedUnimplementedLocatorServer()
}

func RegisterLocatorServer(s grpc.ServiceRegistrar, srv LocatorServer) {
	// If the following call panics, it indicates UnimplementedLocatorServer was
	// embedded by pointer and is nil.  This will cause panics if an
	// unimplemented method is ever invoked, so we test this at initialization
	// time to prevent it from happening at runtime later due to I/O.
	if t, ok := srv.(interface{ testEmbeddedByValue() }); ok {
		t.testEmbeddedByValue()
	}
	s.RegisterService(&Locator_ServiceDesc, srv)
}

func _Locator_Choose_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(ChooseRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(LocatorServer).Choose(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: Locator_Choose_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(LocatorServer).Choose(ctx, req.(*ChooseRequest))
	}
	return interceptor(ctx, in, info, handler)
}

// Locator_ServiceDesc is the grpc.ServiceDesc for Locator service.
// It's only intended for direct use with grpc.RegisterService,
// and not to be introspected or modified (even as a copy)
var Locator_ServiceDesc = grpc.ServiceDesc{
	ServiceName: "fairlead.v1.Locator",
	HandlerType: (*LocatorServer)(nil),
	Methods: []grpc.MethodDesc{
		{
			MethodName: "Choose",
			Handler:    _Locator_Choose_Handler,
		},
	},
	Streams:  []grpc.StreamDesc{},
	Metadata: "fairlead/v1/fairlead.proto",
}

const (
	Tools_GetSnapshot_FullMethodName       = "/fairlead.v1.Tools/GetSnapshot"
	Tools_Watch_FullMethodName             = "/fairlead.v1.Tools/Watch"
	Tools_Drain_FullMethodName             = "/fairlead.v1.Tools/Drain"
	Tools_Undrain_FullMethodName           = "/fairlead.v1.Tools/Undrain"
	Tools_Adjust_FullMethodName            = "/fairlead.v1.Tools/Adjust"
	Tools_ListStoreMembers_FullMethodName  = "/fairlead.v1.Tools/ListStoreMembers"
	Tools_AddStoreMember_FullMethodName    = "/fairlead.v1.Tools/AddStoreMember"
	Tools_RemoveStoreMember_FullMethodName = "/fairlead.v1.Tools/RemoveStoreMember"
	Tools_BackUpStore_FullMethodName       = "/fairlead.v1.Tools/BackUpStore"
	Tools_Reload_FullMethodName            = "/fairlead.v1.Tools/Reload"
	Tools_MovePool_FullMethodName          = "/fairlead.v1.Tools/MovePool"
	Tools_Explain_FullMethodName           = "/fairlead.v1.Tools/Explain"
)

// ToolsClient is the client API for Tools service.
//
// For semantics around ctx use and closing/ending streaming RPCs, please refer to https://pkg.go.dev/google.golang.org/grpc/?tab=doc#ClientConn.NewStream.
//
// Tools is what the controller offers to people and their programs.
type ToolsClient interface {
	// GetSnapshot returns everything that the controller knows, at one moment.
	GetSnapshot(ctx context.Context, in *GetSnapshotRequest, opts ...grpc.CallOption) (*Snapshot, error)
	// Watch streams snapshots, until the caller leaves.
	Watch(ctx context.Context, in *WatchRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[Snapshot], error)
	// Drain stops new grants on a backend; those that live run on.
	Drain(ctx context.Context, in *DrainRequest, opts ...grpc.CallOption) (*DrainResponse, error)
	// Undrain takes a drain back.
	Undrain(ctx context.Context, in *UndrainRequest, opts ...grpc.CallOption) (*UndrainResponse, error)
	// Adjust sets a backend's slots and weight by hand.
	Adjust(ctx context.Context, in *AdjustRequest, opts ...grpc.CallOption) (*AdjustResponse, error)
	// ListStoreMembers names who is in the store's cluster, if it is embedded.
	ListStoreMembers(ctx context.Context, in *ListStoreMembersRequest, opts ...grpc.CallOption) (*ListStoreMembersResponse, error)
	// AddStoreMember lets a controller in that is to start.
	AddStoreMember(ctx context.Context, in *AddStoreMemberRequest, opts ...grpc.CallOption) (*AddStoreMemberResponse, error)
	// RemoveStoreMember removes one.
	RemoveStoreMember(ctx context.Context, in *RemoveStoreMemberRequest, opts ...grpc.CallOption) (*RemoveStoreMemberResponse, error)
	// BackUpStore streams a snapshot of all that the store keeps.
	BackUpStore(ctx context.Context, in *BackUpStoreRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[BackUpStoreResponse], error)
	// Reload has the controller read its config file again.
	Reload(ctx context.Context, in *ReloadRequest, opts ...grpc.CallOption) (*ReloadResponse, error)
	// MovePool has another controller lead a pool.
	MovePool(ctx context.Context, in *MovePoolRequest, opts ...grpc.CallOption) (*MovePoolResponse, error)
	// Explain says what would be decided for a request now, and the latest decisions.
	Explain(ctx context.Context, in *ExplainRequest, opts ...grpc.CallOption) (*Explanation, error)
}

type toolsClient struct {
	cc grpc.ClientConnInterface
}

func NewToolsClient(cc grpc.ClientConnInterface) ToolsClient {
	return &toolsClient{cc}
}

func (c *toolsClient) GetSnapshot(ctx context.Context, in *GetSnapshotRequest, opts ...grpc.CallOption) (*Snapshot, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(Snapshot)
	err := c.cc.Invoke(ctx, Tools_GetSnapshot_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *toolsClient) Watch(ctx context.Context, in *WatchRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[Snapshot], error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	stream, err := c.cc.NewStream(ctx, &Tools_ServiceDesc.Streams[0], Tools_Watch_FullMethodName, cOpts...)
	if err != nil {
		return nil, err
	}
	x := &grpc.GenericClientStream[WatchRequest, Snapshot]{ClientStream: stream}
	if err := x.ClientStream.SendMsg(in); err != nil {
		return nil, err
	}
	if err := x.ClientStream.CloseSend(); err != nil {
		return nil, err
	}
	return x, nil
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type Tools_WatchClient = grpc.ServerStreamingClient[Snapshot]

func (c *toolsClient) Drain(ctx context.Context, in *DrainRequest, opts ...grpc.CallOption) (*DrainResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(DrainResponse)
	err := c.cc.Invoke(ctx, Tools_Drain_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *toolsClient) Undrain(ctx context.Context, in *UndrainRequest, opts ...grpc.CallOption) (*UndrainResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(UndrainResponse)
	err := c.cc.Invoke(ctx, Tools_Undrain_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *toolsClient) Adjust(ctx context.Context, in *AdjustRequest, opts ...grpc.CallOption) (*AdjustResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(AdjustResponse)
	err := c.cc.Invoke(ctx, Tools_Adjust_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *toolsClient) ListStoreMembers(ctx context.Context, in *ListStoreMembersRequest, opts ...grpc.CallOption) (*ListStoreMembersResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(ListStoreMembersResponse)
	err := c.cc.Invoke(ctx, Tools_ListStoreMembers_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *toolsClient) AddStoreMember(ctx context.Context, in *AddStoreMemberRequest, opts ...grpc.CallOption) (*AddStoreMemberResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(AddStoreMemberResponse)
	err := c.cc.Invoke(ctx, Tools_AddStoreMember_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *toolsClient) RemoveStoreMember(ctx context.Context, in *RemoveStoreMemberRequest, opts ...grpc.CallOption) (*RemoveStoreMemberResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(RemoveStoreMemberResponse)
	err := c.cc.Invoke(ctx, Tools_RemoveStoreMember_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *toolsClient) BackUpStore(ctx context.Context, in *BackUpStoreRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[BackUpStoreResponse], error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	stream, err := c.cc.NewStream(ctx, &Tools_ServiceDesc.Streams[1], Tools_BackUpStore_FullMethodName, cOpts...)
	if err != nil {
		return nil, err
	}
	x := &grpc.GenericClientStream[BackUpStoreRequest, BackUpStoreResponse]{ClientStream: stream}
	if err := x.ClientStream.SendMsg(in); err != nil {
		return nil, err
	}
	if err := x.ClientStream.CloseSend(); err != nil {
		return nil, err
	}
	return x, nil
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type Tools_BackUpStoreClient = grpc.ServerStreamingClient[BackUpStoreResponse]

func (c *toolsClient) Reload(ctx context.Context, in *ReloadRequest, opts ...grpc.CallOption) (*ReloadResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(ReloadResponse)
	err := c.cc.Invoke(ctx, Tools_Reload_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *toolsClient) MovePool(ctx context.Context, in *MovePoolRequest, opts ...grpc.CallOption) (*MovePoolResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(MovePoolResponse)
	err := c.cc.Invoke(ctx, Tools_MovePool_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *toolsClient) Explain(ctx context.Context, in *ExplainRequest, opts ...grpc.CallOption) (*Explanation, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(Explanation)
	err := c.cc.Invoke(ctx, Tools_Explain_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ToolsServer is the server API for Tools service.
// All implementations must embed UnimplementedToolsServer
// for forward compatibility.
//
// Tools is what the controller offers to people and their programs.
type ToolsServer interface {
	// GetSnapshot returns everything that the controller knows, at one moment.
	GetSnapshot(context.Context, *GetSnapshotRequest) (*Snapshot, error)
	// Watch streams snapshots, until the caller leaves.
	Watch(*WatchRequest, grpc.ServerStreamingServer[Snapshot]) error
	// Drain stops new grants on a backend; those that live run on.
	Drain(context.Context, *DrainRequest) (*DrainResponse, error)
	// Undrain takes a drain back.
	Undrain(context.Context, *UndrainRequest) (*UndrainResponse, error)
	// Adjust sets a backend's slots and weight by hand.
	Adjust(context.Context, *AdjustRequest) (*AdjustResponse, error)
	// ListStoreMembers names who is in the store's cluster, if it is embedded.
	ListStoreMembers(context.Context, *ListStoreMembersRequest) (*ListStoreMembersResponse, error)
	// AddStoreMember lets a controller in that is to start.
	AddStoreMember(context.Context, *AddStoreMemberRequest) (*AddStoreMemberResponse, error)
	// RemoveStoreMember removes one.
	RemoveStoreMember(context.Context, *RemoveStoreMemberRequest) (*RemoveStoreMemberResponse, error)
	// BackUpStore streams a snapshot of all that the store keeps.
	BackUpStore(*BackUpStoreRequest, grpc.ServerStreamingServer[BackUpStoreResponse]) error
	// Reload has the controller read its config file again.
	Reload(context.Context, *ReloadRequest) (*ReloadResponse, error)
	// MovePool has another controller lead a pool.
	MovePool(context.Context, *MovePoolRequest) (*MovePoolResponse, error)
	// Explain says what would be decided for a request now, and the latest decisions.
	Explain(context.Context, *ExplainRequest) (*Explanation, error)
	mustEmbedUnimplementedToolsServer()
}

// UnimplementedToolsServer must be embedded to have
// forward compatible implementations.
//
// NOTE: this should be embedded by value instead of pointer to avoid a nil
// pointer dereference when methods are called.
type UnimplementedToolsServer struct{}

func (UnimplementedToolsServer) GetSnapshot(context.Context, *GetSnapshotRequest) (*Snapshot, error) {
	return nil, status.Error(codes.Unimplemented, "method GetSnapshot not implemented")
}
func (UnimplementedToolsServer) Watch(*WatchRequest, grpc.ServerStreamingServer[Snapshot]) error {
	return status.Error(codes.Unimplemented, "method Watch not implemented")
}
func (UnimplementedToolsServer) Drain(context.Context, *DrainRequest) (*DrainResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Drain not implemented")
}
func (UnimplementedToolsServer) Undrain(context.Context, *UndrainRequest) (*UndrainResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Undrain not implemented")
}
func (UnimplementedToolsServer) Adjust(context.Context, *AdjustRequest) (*AdjustResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Adjust not implemented")
}
func (UnimplementedToolsServer) ListStoreMembers(context.Context, *ListStoreMembersRequest) (*ListStoreMembersResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method ListStoreMembers not implemented")
}
func (UnimplementedToolsServer) AddStoreMember(context.Context, *AddStoreMemberRequest) (*AddStoreMemberResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method AddStoreMember not implemented")
}
func (UnimplementedToolsServer) RemoveStoreMember(context.Context, *RemoveStoreMemberRequest) (*RemoveStoreMemberResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method RemoveStoreMember not implemented")
}
func (UnimplementedToolsServer) BackUpStore(*BackUpStoreRequest, grpc.ServerStreamingServer[BackUpStoreResponse]) error {
	return status.Error(codes.Unimplemented, "method BackUpStore not implemented")
}
func (UnimplementedToolsServer) Reload(context.Context, *ReloadRequest) (*ReloadResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Reload not implemented")
}
func (UnimplementedToolsServer) MovePool(context.Context, *MovePoolRequest) (*MovePoolResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method MovePool not implemented")
}
func (UnimplementedToolsServer) Explain(context.Context, *ExplainRequest) (*Explanation, error) {
	return nil, status.Error(codes.Unimplemented, "method Explain not implemented")
}
func (UnimplementedToolsServer) mustEmbedUnimplementedToolsServer() {}
func (UnimplementedToolsServer) testEmbeddedByValue()               {}

// UnsafeToolsServer may be embedded to opt out of forward compatibility for this service.
// Use of this interface is not recommended, as added methods to ToolsServer will
// result in compilation errors.
type UnsafeToolsServer interface {
	mustEmbedUnimplementedToolsServer()
}

func RegisterToolsServer(s grpc.ServiceRegistrar, srv ToolsServer) {
	// If the following call panics, it indicates UnimplementedToolsServer was
	// embedded by pointer and is nil.  This will cause panics if an
	// unimplemented method is ever invoked, so we test this at initialization
	// time to prevent it from happening at runtime later due to I/O.
	if t, ok := srv.(interface{ testEmbeddedByValue() }); ok {
		t.testEmbeddedByValue()
	}
	s.RegisterService(&Tools_ServiceDesc, srv)
}

func _Tools_GetSnapshot_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(GetSnapshotRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(ToolsServer).GetSnapshot(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: Tools_GetSnapshot_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(ToolsServer).GetSnapshot(ctx, req.(*GetSnapshotRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _Tools_Watch_Handler(srv interface{}, stream grpc.ServerStream) error {
	m := new(WatchRequest)
	if err := stream.RecvMsg(m); err != nil {
		return err
	}
	return srv.(ToolsServer).Watch(m, &grpc.GenericServerStream[WatchRequest, Snapshot]{ServerStream: stream})
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type Tools_WatchServer = grpc.ServerStreamingServer[Snapshot]

func _Tools_Drain_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(DrainRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(ToolsServer).Drain(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: Tools_Drain_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(ToolsServer).Drain(ctx, req.(*DrainRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _Tools_Undrain_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(UndrainRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(ToolsServer).Undrain(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: Tools_Undrain_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(ToolsServer).Undrain(ctx, req.(*UndrainRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _Tools_Adjust_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(AdjustRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(ToolsServer).Adjust(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: Tools_Adjust_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(ToolsServer).Adjust(ctx, req.(*AdjustRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _Tools_ListStoreMembers_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(ListStoreMembersRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(ToolsServer).ListStoreMembers(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: Tools_ListStoreMembers_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(ToolsServer).ListStoreMembers(ctx, req.(*ListStoreMembersRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _Tools_AddStoreMember_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(AddStoreMemberRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(ToolsServer).AddStoreMember(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: Tools_AddStoreMember_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(ToolsServer).AddStoreMember(ctx, req.(*AddStoreMemberRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _Tools_RemoveStoreMember_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(RemoveStoreMemberRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(ToolsServer).RemoveStoreMember(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: Tools_RemoveStoreMember_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(ToolsServer).RemoveStoreMember(ctx, req.(*RemoveStoreMemberRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _Tools_BackUpStore_Handler(srv interface{}, stream grpc.ServerStream) error {
	m := new(BackUpStoreRequest)
	if err := stream.RecvMsg(m); err != nil {
		return err
	}
	return srv.(ToolsServer).BackUpStore(m, &grpc.GenericServerStream[BackUpStoreRequest, BackUpStoreResponse]{ServerStream: stream})
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type Tools_BackUpStoreServer = grpc.ServerStreamingServer[BackUpStoreResponse]

func _Tools_Reload_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(ReloadRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(ToolsServer).Reload(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: Tools_Reload_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(ToolsServer).Reload(ctx, req.(*ReloadRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _Tools_MovePool_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(MovePoolRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(ToolsServer).MovePool(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: Tools_MovePool_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(ToolsServer).MovePool(ctx, req.(*MovePoolRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _Tools_Explain_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(ExplainRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(ToolsServer).Explain(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: Tools_Explain_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(ToolsServer).Explain(ctx, req.(*ExplainRequest))
	}
	return interceptor(ctx, in, info, handler)
}

// Tools_ServiceDesc is the grpc.ServiceDesc for Tools service.
// It's only intended for direct use with grpc.RegisterService,
// and not to be introspected or modified (even as a copy)
var Tools_ServiceDesc = grpc.ServiceDesc{
	ServiceName: "fairlead.v1.Tools",
	HandlerType: (*ToolsServer)(nil),
	Methods: []grpc.MethodDesc{
		{
			MethodName: "GetSnapshot",
			Handler:    _Tools_GetSnapshot_Handler,
		},
		{
			MethodName: "Drain",
			Handler:    _Tools_Drain_Handler,
		},
		{
			MethodName: "Undrain",
			Handler:    _Tools_Undrain_Handler,
		},
		{
			MethodName: "Adjust",
			Handler:    _Tools_Adjust_Handler,
		},
		{
			MethodName: "ListStoreMembers",
			Handler:    _Tools_ListStoreMembers_Handler,
		},
		{
			MethodName: "AddStoreMember",
			Handler:    _Tools_AddStoreMember_Handler,
		},
		{
			MethodName: "RemoveStoreMember",
			Handler:    _Tools_RemoveStoreMember_Handler,
		},
		{
			MethodName: "Reload",
			Handler:    _Tools_Reload_Handler,
		},
		{
			MethodName: "MovePool",
			Handler:    _Tools_MovePool_Handler,
		},
		{
			MethodName: "Explain",
			Handler:    _Tools_Explain_Handler,
		},
	},
	Streams: []grpc.StreamDesc{
		{
			StreamName:    "Watch",
			Handler:       _Tools_Watch_Handler,
			ServerStreams: true,
		},
		{
			StreamName:    "BackUpStore",
			Handler:       _Tools_BackUpStore_Handler,
			ServerStreams: true,
		},
	},
	Metadata: "fairlead/v1/fairlead.proto",
}
