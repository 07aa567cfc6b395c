// Echo server on gws. What the environment does not set keeps the library's default.
package main

import (
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/lxzan/gws"
)

type handler struct {
	gws.BuiltinEventHandler
}

func (handler) OnPing(conn *gws.Conn, payload []byte) {
	conn.WritePong(payload)
}

func (handler) OnMessage(conn *gws.Conn, message *gws.Message) {
	defer message.Close()
	conn.WriteMessage(message.Opcode, message.Bytes())
}

func main() {
	// Options as in the library's own examples/echo: UTF-8 is not checked, and nothing compressed, unless asked for.
	options := gws.ServerOption{
		CheckUtf8Enabled: true,
		Recovery:         gws.Recovery,
		PermessageDeflate: gws.PermessageDeflate{
			Enabled:               os.Getenv("COMPRESSION") != "0",
			ServerContextTakeover: true,
			ClientContextTakeover: true,
		},
		ReadMaxPayloadSize:  int(number("MAX_MESSAGE_SIZE")),
		WriteMaxPayloadSize: int(number("MAX_MESSAGE_SIZE")),
	}
	if origin := os.Getenv("ALLOWED_ORIGIN"); origin != "" {
		options.Authorize = func(r *http.Request, _ gws.SessionStorage) bool { return r.Header.Get("Origin") == origin }
	}
	upgrader := gws.NewUpgrader(handler{}, &options)
	server := http.Server{
		Addr: env("HOST", "127.0.0.1") + ":" + env("PORT", "9001"),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if conn, err := upgrader.Upgrade(w, r); err == nil {
				go conn.ReadLoop()
			}
		}),
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
