package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/store"
)

func newStore() *cobra.Command {
	cmd := &cobra.Command{
		Use: "store", Short: "See to the controllers' store: members, backup, restore",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage(cmd, "there is no command %q", args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(newStoreMembers(), newStoreAdd(), newStoreRemove(), newStoreBackup(), newStoreRestore())
	return cmd
}

func newStoreMembers() *cobra.Command {
	cmd := &cobra.Command{
		Use: "members", Short: "Show who is in the store's cluster", Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, func(ctx context.Context, c fairleadv1.ToolsClient) error {
				r, err := c.ListStoreMembers(ctx, &fairleadv1.ListStoreMembersRequest{})
				if err != nil {
					return err
				}
				return table(cmd.OutOrStdout(), "MEMBER ADDRESS STATE", func(row func(...any)) {
					for _, m := range r.GetMembers() {
						row(m.GetName(), m.GetAddress(), memberState(m))
					}
				})
			})
		},
	}
	addControllerFlag(cmd)
	return cmd
}

func memberState(m *fairleadv1.StoreMember) string {
	switch {
	case m.GetName() == "":
		return "added, not started yet"
	case m.GetLearns():
		return "catching up"
	}
	return "votes"
}

func newStoreAdd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "add HOST:PORT", Short: "Let a new controller into the cluster, whose store will listen there",
		Args: exactly(1, "the address of the new controller's store, as host:port"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return askFor(cmd, 15*time.Second, func(ctx context.Context, c fairleadv1.ToolsClient) error {
				_, err := c.AddStoreMember(ctx, &fairleadv1.AddStoreMemberRequest{Address: args[0]})
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%s was added; start that controller now, with an empty data directory and store.join: true\n", args[0])
				}
				return err
			})
		},
	}
	addControllerFlag(cmd)
	return cmd
}

func newStoreRemove() *cobra.Command {
	cmd := &cobra.Command{
		Use: "remove NAME", Short: "Remove a controller from the cluster, one that is lost for instance",
		Long: `Removes a controller from the store's cluster by its name, or by its store's address if it
has not started yet. It cannot come back with the data that it has: add it again, and start it
with an empty data directory.`,
		Args: exactly(1, "the controller's name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd, func(ctx context.Context, c fairleadv1.ToolsClient) error {
				_, err := c.RemoveStoreMember(ctx, &fairleadv1.RemoveStoreMemberRequest{Member: args[0]})
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%s was removed\n", args[0])
				}
				return err
			})
		},
	}
	addControllerFlag(cmd)
	return cmd
}

func newStoreBackup() *cobra.Command {
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Write all that the store keeps to a file",
		Args: exactly(1, "a file that is not there yet"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("the backup cannot be written: %w", err)
			}
			size := 0
			err = askFor(cmd, time.Minute, func(ctx context.Context, c fairleadv1.ToolsClient) error {
				st, err := c.BackUpStore(ctx, &fairleadv1.BackUpStoreRequest{})
				for err == nil {
					var m *fairleadv1.BackUpStoreResponse
					if m, err = st.Recv(); err == nil {
						size += len(m.GetData())
						_, err = f.Write(m.GetData())
					}
				}
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			})
			if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
				return errors.Join(err, os.Remove(args[0]))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes\n", args[0], size)
			return nil
		},
	}
	addControllerFlag(cmd)
	return cmd
}

func newStoreRestore() *cobra.Command {
	cmd := &cobra.Command{
		Use: "restore -c FILE BACKUP", Short: "Make a controller's store from a backup, while the controller is stopped",
		Long: `Makes the store in the controller.data of the config file from a backup. The controller is
a cluster of its own then; others join it with empty data directories (fairlead store add).`,
		Args: exactly(1, "the backup's file"),
	}
	file := addConfigFlag(cmd, "the controller's config file")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		log, err := logger(cmd)
		if err != nil {
			return err
		}
		c, err := load(cmd, *file)
		if err != nil {
			return err
		}
		cfg := storeConfig(&c.Controller, log)
		if err := store.Restore(cfg, args[0]); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s was made from %s; start the controller\n", cfg.Dir, args[0])
		return nil
	}
	return cmd
}
