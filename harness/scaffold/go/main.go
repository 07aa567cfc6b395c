// Echo server on LIBRARY. What the environment does not set keeps the library's default.
package main

import (
	"log"
	"os"
)

func main() {
	log.Fatalf("fill in: echo every message on %s:%s, text as text and binary as binary", os.Getenv("HOST"), os.Getenv("PORT"))
}
