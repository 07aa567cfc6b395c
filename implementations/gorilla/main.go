// Echo server on gorilla/websocket. What the environment does not set keeps the library's default.
package main

import (
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// Compression is off unless asked for, in the library; on unless refused, in every echo server of this project.
var upgrader = websocket.Upgrader{EnableCompression: os.Getenv("COMPRESSION") != "0"}

var maxMessageSize = int64(number("MAX_MESSAGE_SIZE"))

func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetReadLimit(maxMessageSize)
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if err := conn.WriteMessage(kind, message); err != nil {
			return
		}
	}
}

func main() {
	if origin := os.Getenv("ALLOWED_ORIGIN"); origin != "" {
		upgrader.CheckOrigin = func(r *http.Request) bool { return r.Header.Get("Origin") == origin }
	}
	server := http.Server{
		Addr:              env("HOST", "127.0.0.1") + ":" + env("PORT", "9001"),
		Handler:           http.HandlerFunc(echo),
		ReadHeaderTimeout: time.Duration(number("HANDSHAKE_TIMEOUT") * float64(time.Second)),
		MaxHeaderBytes:    int(number("MAX_HANDSHAKE_SIZE")),
	}
	log.Fatal(server.ListenAndServe())
}

func env(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

// number is 0, every option's word for its default, if the variable is not set.
func number(name string) float64 {
	value, _ := strconv.ParseFloat(os.Getenv(name), 64)
	return value
}
