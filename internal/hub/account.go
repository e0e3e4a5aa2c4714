package hub

import (
	"context"
	"errors"
	"fmt"
)

// ErrOffline is the error of asking where the configuration says not to.
var ErrOffline = errors.New("this is offline")

// Account asks the hub who the token belongs to. Without a token it asks for nothing in
// particular, so that an error says whether the hub can be reached.
func (c *Client) Account(ctx context.Context) (string, error) {
	if c.config.Offline {
		return "", ErrOffline
	}
	if c.config.Token == "" {
		var any []struct{}
		_, err := c.getJSON(ctx, c.address("api", "models")+"?limit=1", &any)
		return "", err
	}
	var who struct {
		Name string `json:"name"`
	}
	if _, err := c.getJSON(ctx, c.address("api", "whoami-v2"), &who); err != nil {
		return "", fmt.Errorf("ask whose the token is: %w", err)
	}
	return who.Name, nil
}

// HasToken reports whether requests carry a token.
func (c *Client) HasToken() bool { return c.config.Token != "" }
