// The peer kin-openapi: a small reverse proxy on the validation engine of the Go gateways, net/http/httputil before it.
//
// Requests and answers are validated against the contract, the key or token is compared with the one of the bench.
// It keeps no limits and no audit log and verifies no signature, so the comparison is in its favour.
package main

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

type checkedKey struct{}

// buffers spares the proxy an allocation of 32 KB for every answer.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte     { return *b.pool.Get().(*[]byte) }
func (b *buffers) Put(used []byte) { b.pool.Put(&used) }

func authenticate(_ context.Context, input *openapi3filter.AuthenticationInput) error {
	header, wanted := "X-API-Key", os.Getenv("BENCH_KEY")
	if input.SecuritySchemeName == "token" {
		header, wanted = "Authorization", "Bearer "+os.Getenv("BENCH_TOKEN")
	}
	shown := input.RequestValidationInput.Request.Header.Get(header)
	if subtle.ConstantTimeCompare([]byte(shown), []byte(wanted)) != 1 {
		return errors.New("not known")
	}
	return nil
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: kin_openapi CONTRACT ADDRESS PROVIDER")
	}
	document, err := openapi3.NewLoader().LoadFromFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		log.Fatal(err)
	}
	provider, err := url.Parse(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(os.Args[2], checked(router, forwarder(provider))))
}

// checked lets only requests pass that the contract allows.
func checked(router routers.Router, next http.Handler) http.Handler {
	options := &openapi3filter.Options{AuthenticationFunc: authenticate}
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		route, values, err := router.FindRoute(request)
		if err != nil {
			http.Error(writer, "no such operation", http.StatusNotFound)
			return
		}
		input := &openapi3filter.RequestValidationInput{
			Request: request, PathParams: values, Route: route, Options: options,
		}
		if err := openapi3filter.ValidateRequest(request.Context(), input); err != nil {
			http.Error(writer, "the contract forbids this request", http.StatusBadRequest)
			return
		}
		next.ServeHTTP(writer, request.WithContext(context.WithValue(request.Context(), checkedKey{}, input)))
	})
}

// forwarder sends to the provider, and lets only answers pass that the contract allows.
func forwarder(provider *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) { request.SetURL(provider) },
		Transport: &http.Transport{
			MaxIdleConns: 256, MaxIdleConnsPerHost: 256, IdleConnTimeout: time.Minute, DisableCompression: true,
		},
		BufferPool: &buffers{sync.Pool{New: func() any { made := make([]byte, 32*1024); return &made }}},
		ModifyResponse: func(answer *http.Response) error {
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				return err
			}
			if err := answer.Body.Close(); err != nil {
				return err
			}
			answer.Body = io.NopCloser(bytes.NewReader(body))
			request, _ := answer.Request.Context().Value(checkedKey{}).(*openapi3filter.RequestValidationInput)
			return openapi3filter.ValidateResponse(answer.Request.Context(), &openapi3filter.ResponseValidationInput{
				RequestValidationInput: request, Status: answer.StatusCode, Header: answer.Header,
				Body: io.NopCloser(bytes.NewReader(body)), Options: &openapi3filter.Options{IncludeResponseStatus: true},
			})
		},
	}
}
