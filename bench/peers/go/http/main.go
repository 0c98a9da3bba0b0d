// Command http is an HTTP greeter on net/http, based on its documentation.
package main

import (
	"fmt"
	"html"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "Linky 🐙"
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "Hello, %s!\n", html.EscapeString(name))
	})
	fmt.Printf("Listening on %s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
