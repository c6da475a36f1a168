package stickertoken

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

type vectors struct {
	Tokens []struct {
		Name        string
		Keys        json.RawMessage
		Revocations json.RawMessage
		Text        string
		Now         int64
		Sticker     uint64
		UserHex     string `json:"user_hex"`
		Result      string
		Expires     int64
	}
	Rings []struct {
		Name, File, Result string
		IDs                []int
	}
	Feeds []struct {
		Name, Page, Result string
		After, Cursor      uint64
		More               bool
		Entries            int
	}
}

func TestEveryVector(t *testing.T) {
	file, err := os.ReadFile("../../vectors/tokens.json")
	if err != nil {
		t.Fatal(err)
	}
	var all vectors
	if err := json.Unmarshal(file, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Tokens) == 0 || len(all.Rings) == 0 || len(all.Feeds) == 0 {
		t.Fatal("a part of the vectors is empty")
	}
	for _, c := range all.Tokens {
		t.Run("token: "+c.Name, func(t *testing.T) {
			v := verifier(t, fmt.Sprintf(`{"keys":%s}`, c.Keys))
			page, err := ParsePage([]byte(fmt.Sprintf(`{"revocations":%s,"cursor":%d,"more":false}`, c.Revocations, maxSafeInt)), 0)
			if err != nil {
				t.Fatal(err)
			}
			v.Denied.Apply(page)
			until, err := v.VerifyAt(c.Text, c.Sticker, unhex(c.UserHex), time.Unix(c.Now, 0))
			if code := codeOf(err); code != c.Result || code == "ok" && until.Unix() != c.Expires {
				t.Errorf("%s until %d, not %s until %d", code, until.Unix(), c.Result, c.Expires)
			}
		})
	}
	for _, c := range all.Rings {
		t.Run("ring: "+c.Name, func(t *testing.T) {
			ring, err := ParseRing([]byte(c.File))
			if code := codeOf(err); code != c.Result || code == "ok" && fmt.Sprint(ring.IDs()) != fmt.Sprint(c.IDs) {
				t.Errorf("%s with %v, not %s with %v", code, ring, c.Result, c.IDs)
			}
		})
	}
	for _, c := range all.Feeds {
		t.Run("feed: "+c.Name, func(t *testing.T) {
			page, err := ParsePage([]byte(c.Page), c.After)
			if code := codeOf(err); code != c.Result {
				t.Fatalf("%s, not %s", code, c.Result)
			}
			if err == nil && (page.Cursor != c.Cursor || page.More != c.More || len(page.Revocations) != c.Entries) {
				t.Errorf("%+v", page)
			}
		})
	}
}

func codeOf(err error) string {
	var refusal Refusal
	var ring *RingError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &refusal):
		return string(refusal)
	case errors.As(err, &ring):
		return string(ring.Code)
	default:
		return err.Error()
	}
}
