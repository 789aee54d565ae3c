package control

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/store"
)

// storeOf returns the store for an operator. Errors are statuses.
func (s toolsService) storeOf(ctx context.Context) (*store.Store, error) {
	if err := s.c.allow(ctx, asOperator); err != nil {
		return nil, err
	}
	if s.c.cfg.Store == nil {
		return nil, status.Error(codes.FailedPrecondition, "this controller has no store; 'fairlead up' runs without, 'fairlead controller' with one")
	}
	return s.c.cfg.Store, nil
}

// failed words what the store could not do; nil: it could.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return status.Error(codes.FailedPrecondition, err.Error())
}

// ListStoreMembers implements the service.
func (s toolsService) ListStoreMembers(ctx context.Context, _ *fairleadv1.ListStoreMembersRequest) (*fairleadv1.ListStoreMembersResponse, error) {
	st, err := s.storeOf(ctx)
	if err != nil {
		return nil, err
	}
	nodes, err := st.Nodes(ctx)
	if err != nil {
		return nil, failed(err)
	}
	all := &fairleadv1.ListStoreMembersResponse{}
	for _, n := range nodes {
		all.Members = append(all.Members, &fairleadv1.StoreMember{Name: n.Name, Address: n.Address, Learns: n.Learns, Here: n.Here})
	}
	return all, nil
}

// AddStoreMember implements the service.
func (s toolsService) AddStoreMember(ctx context.Context, r *fairleadv1.AddStoreMemberRequest) (*fairleadv1.AddStoreMemberResponse, error) {
	st, err := s.storeOf(ctx)
	if err != nil {
		return nil, err
	}
	return &fairleadv1.AddStoreMemberResponse{}, failed(st.AddNode(ctx, r.GetAddress()))
}

// RemoveStoreMember implements the service.
func (s toolsService) RemoveStoreMember(ctx context.Context, r *fairleadv1.RemoveStoreMemberRequest) (*fairleadv1.RemoveStoreMemberResponse, error) {
	st, err := s.storeOf(ctx)
	if err != nil {
		return nil, err
	}
	return &fairleadv1.RemoveStoreMemberResponse{}, failed(st.RemoveNode(ctx, r.GetMember()))
}

// BackUpStore implements the service.
func (s toolsService) BackUpStore(_ *fairleadv1.BackUpStoreRequest, out grpc.ServerStreamingServer[fairleadv1.BackUpStoreResponse]) error {
	st, err := s.storeOf(out.Context())
	if err != nil {
		return err
	}
	return failed(st.Backup(out.Context(), chunkWriter{out}))
}

// chunkWriter sends what is written.
type chunkWriter struct {
	out grpc.ServerStreamingServer[fairleadv1.BackUpStoreResponse]
}

// Write implements io.Writer.
func (w chunkWriter) Write(b []byte) (int, error) {
	const most = 64 << 10
	n := 0
	for len(b) > 0 {
		part := b[:min(len(b), most)]
		if err := w.out.Send(&fairleadv1.BackUpStoreResponse{Data: part}); err != nil {
			return n, err
		}
		n, b = n+len(part), b[len(part):]
	}
	return n, nil
}
