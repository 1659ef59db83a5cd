// Tells how Go's net/http reads requests, and answers: a server for the differential test (tests/house/test_differential.py).
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sort"
	"strings"
)

type line [2]any

func lines(fields http.Header) []line {
	found := []line{}
	names := []string{}
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, value := range fields[name] {
			found = append(found, line{strings.ToLower(name), []byte(value)})
		}
	}
	return found
}

func send(to http.ResponseWriter, told any) {
	body, _ := json.Marshal(told)
	to.Header().Set("Content-Length", fmt.Sprint(len(body)))
	to.Write(body)
}

func fetched(to http.ResponseWriter, port string) {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	got, err := client.Get("http://127.0.0.1:" + port + "/a/b")
	if err == nil {
		defer got.Body.Close()
		var body []byte
		body, err = io.ReadAll(got.Body)
		if err == nil {
			send(to, map[string]any{"status": got.StatusCode, "headers": lines(got.Header), "body": body})
			return
		}
	}
	send(to, map[string]any{"error": err.Error()})
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, http.HandlerFunc(func(to http.ResponseWriter, from *http.Request) {
		if port, ok := strings.CutPrefix(from.RequestURI, "/-fetch/"); ok {
			fetched(to, port)
			return
		}
		body, err := io.ReadAll(from.Body)
		if err != nil {
			send(to, map[string]any{"error": err.Error()})
			return
		}
		fields := append(lines(from.Header), line{"host", []byte(from.Host)})
		send(to, map[string]any{"method": from.Method, "target": from.RequestURI, "headers": fields, "body": body})
	}))
}
