// Package arch holds the rules of this house, as tests. Each test says its rule and the
// reason for it, and the message of a failure says where it is broken. The package has
// no code of its own.
package arch
