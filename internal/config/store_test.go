package config_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/config"
)

const storeRest = "\npools: [{name: p, slots: 1, agents: true}]\n"

// TestStore reads where controllers keep what must last.
func TestStore(t *testing.T) {
	for _, c := range []struct {
		in   string
		want config.Store
	}{
		{"controller: {name: x}", config.Store{}},
		{"controller: {name: b, store: {peers: {b: \"127.0.0.1:2\", a: \"127.0.0.1:1\"}, listen: \"127.0.0.1:3\", join: true, lease: 2s}}", config.Store{
			Peers: []config.Peer{{Name: "a", Address: "127.0.0.1:1"}, {Name: "b", Address: "127.0.0.1:2"}}, Listen: "127.0.0.1:3", Join: true, Lease: 2 * time.Second,
		}},
		{"controller: {insecure: true, store: {endpoints: [\"etcd.example:2379\"]}}", config.Store{Endpoints: []string{"etcd.example:2379"}}},
		{"controller: {store: {endpoints: [\"10.0.0.1:2379\"], tls: {ca: a.crt}}}", config.Store{
			Endpoints: []string{"10.0.0.1:2379"}, TLS: config.TLS{CA: "a.crt"},
		}},
	} {
		got, err := config.Parse("f", []byte(c.in+storeRest))
		if err != nil || !reflect.DeepEqual(got.Controller.Store, c.want) {
			t.Errorf("%s: %+v, %v", c.in, got, err)
		}
	}
}

// TestBadStore shows what is wrong with each, and the way out.
func TestBadStore(t *testing.T) {
	for in, want := range map[string]string{
		"controller: {store: {peers: {a: \"127.0.0.1:1\"}}}":                                           `f:1:29: controller.store.peers: does not name this controller, "controller"; add it, or set controller.name to the name that it has there`,
		"controller: {name: a, store: {peers: {a: \"127.0.0.1:1\"}, endpoints: [\"127.0.0.1:2379\"]}}": `f:1:69: controller.store.endpoints: names an etcd that exists, and peers make one; remove one of the two`,
		"controller: {store: {join: true}}":                                                            `f:1:28: controller.store.join: is for a cluster of controllers, and there is no list of peers; add peers, or remove the key`,
		"controller: {name: a, store: {peers: {a: \"10.0.0.1:1\"}}}":                                   `f:1:42: controller.store.peers.a: 10.0.0.1:1 is on another host, and what stores say would be neither encrypted nor checked; give certificates with controller.store.tls, or, in a network that you trust, set controller.insecure to true`,
		"controller: {name: a, store: {peers: {a: \"0.0.0.0:1\"}}}":                                    `f:1:42: controller.store.peers.a: must be an address to connect to, got "0.0.0.0:1"; name the host's own address; this one stands for every interface of a host that listens`,
		"controller: {name: \"a/b\"}":                                                                  `f:1:20: controller.name: a controller's name has up to 63 letters, digits, dots, dashes and underscores, got "a/b"; give it a name such as a or lb-1`,
		"controller: {store: {endpoints: []}}":                                                         `f:1:33: controller.store.endpoints: is empty; name the etcd's addresses, host:port`,
		"controller: {store: {lease: 1ms, endpoints: [\"127.0.0.1:1\"]}}":                              `f:1:29: controller.store.lease`,
	} {
		_, err := config.Parse("f", []byte(in+storeRest))
		if err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("%s:\n got %v\nwant %s", in, err, want)
		}
	}
}
