package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/store"
)

// storeConfig says where a controller keeps what must last.
func storeConfig(c *config.Controller, log *slog.Logger) store.Config {
	s := c.Store
	cfg := store.Config{
		Name: c.Name, Address: c.Advertise, Dir: filepath.Join(c.Data, "store"),
		Listen: s.Listen, Join: s.Join, Endpoints: s.Endpoints, Insecure: c.Insecure, Lease: s.Lease,
		Log: log.With("part", "store"),
	}
	if len(s.Endpoints) > 0 {
		cfg.TLS = store.TLS(s.TLS)
		return cfg
	}
	if len(s.Peers) > 0 {
		cfg.Peers = map[string]string{}
		for _, p := range s.Peers {
			cfg.Peers[p.Name] = p.Address
		}
		cfg.PeerTLS = store.TLS(cmp.Or(s.TLS, c.TLS))
	}
	return cfg
}

// openStore opens it.
func openStore(ctx context.Context, c *config.Controller, log *slog.Logger) (*store.Store, error) {
	st, err := store.Open(ctx, storeConfig(c, log))
	if err != nil {
		return nil, fmt.Errorf("the controller's store: %w", err)
	}
	return st, nil
}
