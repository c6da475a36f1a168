package stickertoken

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"
)

// object is a JSON object by exact names: decoding into a struct would also take `ID` for `id`, and null for anything.
type object map[string]json.RawMessage

var errNoObject = errors.New("no object in UTF-8")

func parseObject(text []byte) (object, error) {
	var o object
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, err
	}
	// The decoder puts U+FFFD in the place of broken UTF-8.
	if o == nil || !utf8.Valid(text) {
		return nil, errNoObject
	}
	return o, nil
}

// objects reads an array of objects.
func (o object) objects(name string) ([]object, bool) {
	var values []object
	if !isArray(o[name]) || json.Unmarshal(o[name], &values) != nil {
		return nil, false
	}
	for _, value := range values {
		if value == nil {
			return nil, false
		}
	}
	return values, true
}

// whole reads a whole number from 0 to max.
func (o object) whole(name string, max uint64) (uint64, bool) { return parseWhole(o[name], max) }

// text reads a string, which is empty where there is none.
func (o object) text(name string) (string, bool) {
	var text *string
	if json.Unmarshal(o[name], &text) != nil || text == nil {
		return "", false
	}
	return *text, true
}

// hex reads min to max bytes in hexadecimal digits of either case.
func (o object) hex(name string, min, max int) ([]byte, bool) {
	text, ok := o.text(name)
	bytes, err := hex.DecodeString(text)
	return bytes, ok && err == nil && len(bytes) >= min && len(bytes) <= max
}

func (o object) boolean(name string) (value, ok bool) {
	text := string(o[name])
	return text == "true", text == "true" || text == "false"
}

func isArray(raw json.RawMessage) bool { return bytes.HasPrefix(raw, []byte("[")) }

// parseWhole takes digits alone: no fraction, exponent or sign.
func parseWhole(raw json.RawMessage, max uint64) (uint64, bool) {
	n, err := strconv.ParseUint(string(raw), 10, 64)
	return n, err == nil && n <= max
}
