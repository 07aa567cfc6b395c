// Echo server on gobwas/ws with the helpers of its wsutil. What the environment does not set keeps the library's default.
package main

import (
	"cmp"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

func echo(w http.ResponseWriter, r *http.Request) {
	conn, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		message, kind, err := wsutil.ReadClientData(conn)
		if err != nil {
			return
		}
		if err := wsutil.WriteServerMessage(conn, kind, message); err != nil {
			return
		}
	}
}

func main() {
	wsutil.SetMaxFrameSize(int64(number("MAX_FRAME_SIZE")))
	wsutil.SetMaxMessageSize(int64(number("MAX_MESSAGE_SIZE")))
	server := http.Server{
		Addr:              cmp.Or(os.Getenv("HOST"), "127.0.0.1") + ":" + cmp.Or(os.Getenv("PORT"), "9001"),
		Handler:           http.HandlerFunc(echo),
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
