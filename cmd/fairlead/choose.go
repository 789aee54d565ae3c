package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

func newProxies() *cobra.Command {
	return newSnapshotTool("proxies", "Show the proxies: load, and whether clients are led to them", func(out io.Writer, s *fairleadv1.Snapshot) error {
		return table(out, "PROXY ZONE CONNECTED CONNECTIONS IN-FLIGHT WAITING CPU ASKS/S LOAD FROM WHY-NOT", func(row func(...any)) {
			for _, p := range s.GetProxies() {
				connected := "no"
				if p.GetConnected() {
					connected = "yes"
				}
				st := p.GetStatus()
				row(p.GetName(), p.GetZone(), connected, st.GetConnections(), st.GetInFlight(), st.GetWaiting(),
					fmt.Sprintf("%.2f", st.GetCpu()), fmt.Sprintf("%.0f", p.GetAsksPerSecond()),
					fmt.Sprintf("%.1f", p.GetLoad()), p.GetAddress(), p.GetWhyNot())
			}
		})
	})
}

func newChoose() *cobra.Command {
	var client string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "choose LISTENER", Short: "Say which proxies a client would be led to now, best first",
		Args: exactly(1, "one listener"),
		RunE: func(cmd *cobra.Command, args []string) error {
			conn, address, err := dial(cmd)
			if err != nil {
				return err
			}
			defer conn.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), toolTimeout)
			defer cancel()
			r, err := fairleadv1.NewLocatorClient(conn).Choose(ctx, &fairleadv1.ChooseRequest{Listener: args[0], Client: client})
			if err != nil {
				return wordError(address, err)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), r)
			}
			return table(cmd.OutOrStdout(), "PROXY ADDRESS ZONE", func(row func(...any)) {
				for _, p := range r.GetProxies() {
					row(p.GetName(), p.GetAddress(), p.GetZone())
				}
			})
		},
	}
	addControllerFlag(cmd)
	cmd.Flags().StringVar(&client, "client", "", "the client's IP address, for its zone (default: this host's)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
