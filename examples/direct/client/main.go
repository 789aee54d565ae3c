// Command client sends requests by package sdk/client: to the proxy that the controller
// chooses, and on to the backend itself where links are direct.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/fairlead/fairlead/sdk/client"
)

func main() {
	locator := flag.String("locator", "http://127.0.0.1:7481", "where to ask for a proxy")
	listener := flag.String("listener", "web", "the listener")
	flag.Parse()
	c, err := client.New(client.Config{Locators: []string{*locator}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseIdleConnections()
	web := &http.Client{Transport: c.RoundTripper(*listener)}
	for _, path := range flag.Args() {
		res, err := web.Get("http://example.test" + path)
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			log.Fatal(err)
		}
		_ = res.Body.Close() // it was read to its end
		fmt.Printf("%s: %s", res.Status, body)
	}
}
