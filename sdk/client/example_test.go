package client_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/fairlead/fairlead/sdk/client"
)

// A program sends its HTTP requests through the best proxy. Where the pool has direct
// links, they go to the backend itself.
func Example() {
	c, err := client.New(client.Config{
		Locators: []string{"http://10.0.0.1:7480", "http://10.0.0.2:7480"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseIdleConnections()
	web := &http.Client{Transport: c.RoundTripper("web"), Timeout: time.Minute}

	answer, err := web.Get("http://shop.example.org/cart")
	if err != nil {
		log.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s\n", answer.Status, body)
}

// connector stands for the config of a database driver that takes a dial function, such
// as pgx's DialFunc.
type connector struct {
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	_, err := c.Dial(ctx, "tcp", "db.example.org:5432")
	return nil, err // a driver would log in now
}

// A database driver connects through the best proxy, or directly to a backend, with one
// grant for each connection.
func ExampleClient_Dialer() {
	c, err := client.New(client.Config{Locators: []string{"http://127.0.0.1:7480"}})
	if err != nil {
		log.Fatal(err)
	}
	db := connector{Dial: c.Dialer("postgres")}
	if _, err := db.Connect(context.Background()); err != nil {
		log.Print(err)
	}
}
