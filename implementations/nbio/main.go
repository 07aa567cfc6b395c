// Echo server on nbio's HTTP engine and its WebSocket. What the environment does not set keeps the library's default.
package main

import (
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

func newUpgrader() *websocket.Upgrader {
	upgrader := websocket.NewUpgrader()
	upgrader.OnMessage(func(conn *websocket.Conn, kind websocket.MessageType, message []byte) {
		conn.WriteMessage(kind, message)
	})
	// Compression is off unless asked for, in the library; on unless refused, in every echo server of this project.
	upgrader.EnableCompression(os.Getenv("COMPRESSION") != "0")
	if size := number("MAX_MESSAGE_SIZE"); size > 0 {
		upgrader.MessageLengthLimit = int(size)
	}
	if timeout := seconds("CONNECTION_TIMEOUT"); timeout > 0 {
		upgrader.KeepaliveTime = timeout
	}
	if origin := os.Getenv("ALLOWED_ORIGIN"); origin != "" {
		upgrader.CheckOrigin = func(r *http.Request) bool { return r.Header.Get("Origin") == origin }
	}
	return upgrader
}

func main() {
	logging.SetLevel(logging.LevelError)
	upgrader := newUpgrader()
	engine := nbhttp.NewEngine(nbhttp.Config{
		Network: "tcp",
		Addrs:   []string{env("HOST", "127.0.0.1") + ":" + env("PORT", "9001")},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			upgrader.Upgrade(w, r, nil)
		}),
		KeepaliveTime: seconds("HANDSHAKE_TIMEOUT"),
		MaxLoad:       int(number("MAX_CONNECTIONS")),
	})
	if err := engine.Start(); err != nil {
		log.Fatal(err)
	}
	select {}
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

func seconds(name string) time.Duration {
	return time.Duration(number(name) * float64(time.Second))
}
