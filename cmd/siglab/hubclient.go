package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"siglab/internal/hub"
)

// newHub reaches the hub's data sets or models as the environment says: HF_ENDPOINT,
// HF_TOKEN, HF_HUB_OFFLINE, and SIGLAB_CACHE for the cache.
func newHub(kind hub.Kind) (*hub.Client, error) {
	client, err := hub.New(hubConfig(kind))
	if err != nil {
		return nil, usageError{err}
	}
	return client, nil
}

// cacheDir is where what can be had again is kept: SIGLAB_CACHE, else a folder of the
// user's cache.
func cacheDir() string {
	if dir := os.Getenv("SIGLAB_CACHE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "siglab")
}

// hubConfig is what the environment says of the hub.
func hubConfig(kind hub.Kind) hub.Config {
	folder := "datasets"
	if kind == hub.Models {
		folder = "models"
	}
	offline := os.Getenv("HF_HUB_OFFLINE")
	bar := &downloadBar{w: os.Stderr, terminal: term.IsTerminal(int(os.Stderr.Fd()))}
	return hub.Config{
		Kind: kind, Endpoint: os.Getenv("HF_ENDPOINT"), Token: hubToken(), Cache: filepath.Join(cacheDir(), folder),
		Offline:  offline != "" && offline != "0",
		Progress: bar.show, Note: func(text string) { fmt.Fprintln(os.Stderr, "siglab:", text) },
	}
}

// hubToken is HF_TOKEN, or what `hf auth login` left.
func hubToken() string {
	if token := os.Getenv("HF_TOKEN"); token != "" {
		return token
	}
	text, err := os.ReadFile(cmp.Or(os.Getenv("HF_TOKEN_PATH"), filepath.Join(hubHome(), "token")))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// hubHome is where Hugging Face's own libraries keep their things.
func hubHome() string {
	if home := os.Getenv("HF_HOME"); home != "" {
		return home
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = os.TempDir()
		}
		cache = filepath.Join(home, ".cache")
	}
	return filepath.Join(cache, "huggingface")
}

// sharedModels is the cache of models of those libraries.
func sharedModels() string {
	return cmp.Or(os.Getenv("HF_HUB_CACHE"), filepath.Join(hubHome(), "hub"))
}
