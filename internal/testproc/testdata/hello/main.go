// Command hello is what the tests of testproc build.
package main

import "fmt"

func main() { fmt.Println("hello") }
