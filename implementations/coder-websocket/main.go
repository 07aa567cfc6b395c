// Echo server on coder/websocket. What the environment does not set keeps the library's default.
package main

import (
	"cmp"
	"context"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// Compression is off unless asked for, in the library; on unless refused, in every echo server of this project.
var options = websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover}

var maxMessageSize = int64(number("MAX_MESSAGE_SIZE"))

func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &options)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	if maxMessageSize > 0 {
		conn.SetReadLimit(maxMessageSize)
	}
	ctx := context.Background()
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil {
			return
		}
		if err := conn.Write(ctx, kind, message); err != nil {
			return
		}
	}
}

func main() {
	if os.Getenv("COMPRESSION") == "0" {
		options.CompressionMode = websocket.CompressionDisabled
	}
	if origin := os.Getenv("ALLOWED_ORIGIN"); origin != "" {
		options.OriginPatterns = []string{origin}
	}
	server := http.Server{
		Addr:              cmp.Or(os.Getenv("HOST"), "127.0.0.1") + ":" + cmp.Or(os.Getenv("PORT"), "9001"),
		Handler:           http.HandlerFunc(echo),
		ReadHeaderTimeout: time.Duration(number("HANDSHAKE_TIMEOUT") * float64(time.Second)),
		MaxHeaderBytes:    int(number("MAX_HANDSHAKE_SIZE")),
	}
	log.Fatal(server.ListenAndServe())
}

// number is 0 if the variable is not set.
func number(name string) float64 {
	value, _ := strconv.ParseFloat(os.Getenv(name), 64)
	return value
}
