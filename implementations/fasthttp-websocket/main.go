// Echo server on fasthttp/websocket. What the environment does not set keeps the library's default.
package main

import (
	"log"
	"os"
	"strconv"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

// Compression is off unless asked for, in the library; on unless refused, in every echo server of this project.
var upgrader = websocket.FastHTTPUpgrader{EnableCompression: os.Getenv("COMPRESSION") != "0"}

var maxMessageSize = int64(number("MAX_MESSAGE_SIZE"))

func echo(conn *websocket.Conn) {
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
		upgrader.CheckOrigin = func(ctx *fasthttp.RequestCtx) bool {
			return string(ctx.Request.Header.Peek("Origin")) == origin
		}
	}
	server := fasthttp.Server{
		Handler:        func(ctx *fasthttp.RequestCtx) { upgrader.Upgrade(ctx, echo) },
		ReadTimeout:    time.Duration(number("HANDSHAKE_TIMEOUT") * float64(time.Second)),
		ReadBufferSize: int(number("MAX_HANDSHAKE_SIZE")),
	}
	log.Fatal(server.ListenAndServe(env("HOST", "127.0.0.1") + ":" + env("PORT", "9001")))
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
