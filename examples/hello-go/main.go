// A minimal service: one file, no dependencies. It knows nothing of Lambda or Fargate.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func answer(response http.ResponseWriter, status int, body map[string]string) {
	response.Header().Set("content-type", "application/json")
	response.WriteHeader(status)
	_ = json.NewEncoder(response).Encode(body)
}

func main() {
	greeting := env("GREETING", "hello")
	routes := http.NewServeMux()
	// lambdaflex-ignore differs-body / it tells which tier answers
	routes.HandleFunc("/{$}", func(response http.ResponseWriter, _ *http.Request) {
		body := map[string]string{"message": greeting, "tier": env("LAMBDAFLEX_TIER", "none")}
		answer(response, http.StatusOK, body)
	})
	routes.HandleFunc("/healthz", func(response http.ResponseWriter, _ *http.Request) {
		answer(response, http.StatusOK, map[string]string{"status": "ok"})
	})
	routes.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		body := map[string]string{"detail": "there is nothing at " + request.URL.Path}
		answer(response, http.StatusNotFound, body)
	})

	server := &http.Server{
		Addr:              net.JoinHostPort(env("HOST", "127.0.0.1"), env("PORT", "8080")),
		Handler:           routes,
		ReadHeaderTimeout: 10 * time.Second,
		// Longer than the load balancer's 60 s: it never sends into a connection we have closed.
		IdleTimeout: 75 * time.Second,
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
		<-signals
		// What is in flight is still answered; then the process ends.
		_ = server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-stopped
}
