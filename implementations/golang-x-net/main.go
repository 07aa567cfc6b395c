// Echo server on golang.org/x/net/websocket. What the environment does not set keeps the library's default.
package main

import (
	"cmp"
	"errors"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"golang.org/x/net/websocket"
)

type message struct {
	kind    byte
	payload []byte
}

// websocket.Message, the library's own codec, does not tell whether a message was text or binary.
var codec = websocket.Codec{
	Marshal: func(v any) ([]byte, byte, error) {
		m := v.(message)
		return m.payload, m.kind, nil
	},
	Unmarshal: func(payload []byte, kind byte, v any) error {
		*v.(*message) = message{kind, payload}
		return nil
	},
}

func echo(conn *websocket.Conn) {
	defer conn.Close() // or a close frame is not answered
	conn.MaxPayloadBytes = int(number("MAX_FRAME_SIZE"))
	for {
		var m message
		if err := codec.Receive(conn, &m); err != nil {
			return
		}
		if err := codec.Send(conn, m); err != nil {
			return
		}
	}
}

func main() {
	// Not websocket.Handler alone, which refuses whoever sends no Origin.
	endpoint := websocket.Server{Handler: echo}
	if origin := os.Getenv("ALLOWED_ORIGIN"); origin != "" {
		endpoint.Handshake = func(_ *websocket.Config, r *http.Request) error {
			if r.Header.Get("Origin") != origin {
				return errors.New("origin not allowed")
			}
			return nil
		}
	}
	server := http.Server{
		Addr:              cmp.Or(os.Getenv("HOST"), "127.0.0.1") + ":" + cmp.Or(os.Getenv("PORT"), "9001"),
		Handler:           endpoint,
		ReadHeaderTimeout: time.Duration(number("HANDSHAKE_TIMEOUT") * float64(time.Second)),
		MaxHeaderBytes:    int(number("MAX_HANDSHAKE_SIZE")),
	}
	log.Fatal(server.ListenAndServe())
}

// number is 0, every option's word for its default, if the variable is not set.
func number(name string) float64 {
	value, _ := strconv.ParseFloat(os.Getenv(name), 64)
	return value
}
