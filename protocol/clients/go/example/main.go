// Command example stands for a chat server: it reads one JSON message a line from stdin and answers each with one JSON line.
//
//	STICKER_STORE_SECRET=sk_... go run ./example --store http://127.0.0.1:8080
//	go run ./example --keys keys.json
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"example.com/stickertoken"
)

type message struct {
	User    string `json:"user"`
	Sticker uint64 `json:"sticker_id"`
	Token   string `json:"token"`
}

// answer is for this server's logs; what a user sees is Accepted alone.
type answer struct {
	Accepted bool   `json:"accepted"`
	Code     string `json:"code,omitempty"`
}

func main() {
	store := flag.String("store", "", "the store's address; the client secret is in STICKER_STORE_SECRET")
	keys := flag.String("keys", "", "a key file, instead of the store")
	flag.Parse()
	if (*store == "") == (*keys == "") || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := serve(*store, *keys); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(store, keys string) error {
	tokens, err := open(store, keys)
	if err != nil {
		return err
	}
	defer tokens.Close()
	fmt.Fprintln(os.Stderr, "ready")
	lines, answers := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for lines.Scan() {
		if err := answers.Encode(check(tokens, lines.Bytes())); err != nil {
			return err
		}
	}
	return lines.Err()
}

func open(store, keys string) (*stickertoken.Updater, error) {
	if keys != "" {
		return stickertoken.WatchFile(context.Background(), keys, stickertoken.Options{})
	}
	return stickertoken.FollowStore(context.Background(), store, os.Getenv("STICKER_STORE_SECRET"), stickertoken.Options{})
}

func check(tokens *stickertoken.Updater, line []byte) answer {
	var m message
	if json.Unmarshal(line, &m) != nil {
		return answer{Code: "bad_message"}
	}
	_, err := tokens.Verify(m.Token, m.Sticker, []byte(m.User))
	var refusal stickertoken.Refusal
	if errors.As(err, &refusal) {
		return answer{Code: string(refusal)}
	}
	return answer{Accepted: err == nil}
}
