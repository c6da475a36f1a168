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
	"io"
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
	lines, answers := bufio.NewReaderSize(os.Stdin, maxLine), json.NewEncoder(os.Stdout)
	for {
		line, err := readLine(lines)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := answers.Encode(check(tokens, line)); err != nil {
			return err
		}
	}
}

// maxLine is more than any message needs.
const maxLine = 64 << 10

// readLine reads a line; of one that is too long nothing, which is no message.
func readLine(from *bufio.Reader) ([]byte, error) {
	line, more, err := from.ReadLine()
	if more {
		line = nil
	}
	for more && err == nil {
		_, more, err = from.ReadLine()
	}
	return line, err
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
