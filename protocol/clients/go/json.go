package stickertoken

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"
)

// maxDepth is how deep arrays and objects may lie in each other (section 1.4).
const maxDepth = 64

var errNoObject = errors.New("no object in UTF-8, or nested too deep")

// object has those members of a JSON object that its reader asked for, by exact names: decoding into a struct would also take
// `ID` for `id`, and null for anything. All else is skipped, so that what a text builds is bounded by what is wanted of it.
type object map[string]json.RawMessage

// parseObject checks the whole text, and reads members of the object that it must be.
func parseObject(text []byte, names ...string) (object, error) {
	// The decoder puts U+FFFD in the place of broken UTF-8.
	if !utf8.Valid(text) || isTooDeep(text) {
		return nil, errNoObject
	}
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, err
	}
	o, ok := members(whole[skipSpace(whole, 0):], names...)
	if !ok {
		return nil, errNoObject
	}
	return o, nil
}

// members reads members of an object in valid JSON; of two with one name the later counts.
func members(raw json.RawMessage, names ...string) (object, bool) {
	if len(raw) == 0 || raw[0] != '{' {
		return nil, false
	}
	o := make(object, len(names))
	for at := skipSpace(raw, 1); raw[at] != '}'; {
		end := skipValue(raw, at)
		name := raw[at:end]
		at = skipSpace(raw, skipSpace(raw, end)+1)
		end = skipValue(raw, at)
		for _, wanted := range names {
			if isText(name, wanted) {
				o[wanted] = raw[at:end]
			}
		}
		at = afterComma(raw, end)
	}
	return o, true
}

// elements calls with the elements of an array in valid JSON, until one is refused; false also where it is no array.
func elements(raw json.RawMessage, take func(json.RawMessage) bool) bool {
	if len(raw) == 0 || raw[0] != '[' {
		return false
	}
	for at := skipSpace(raw, 1); raw[at] != ']'; {
		end := skipValue(raw, at)
		if !take(raw[at:end]) {
			return false
		}
		at = afterComma(raw, end)
	}
	return true
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
	decoded, err := hex.DecodeString(text)
	return decoded, ok && err == nil && len(decoded) >= min && len(decoded) <= max
}

func (o object) boolean(name string) (value, ok bool) {
	text := string(o[name])
	return text == "true", text == "true" || text == "false"
}

// parseWhole takes digits alone: no fraction, exponent or sign.
func parseWhole(raw json.RawMessage, max uint64) (uint64, bool) {
	n, err := strconv.ParseUint(string(raw), 10, 64)
	return n, err == nil && n <= max
}

// isTooDeep may say anything of a text that is no JSON.
func isTooDeep(text []byte) bool {
	for at, depth := 0, 0; at < len(text); at++ {
		switch text[at] {
		case '"':
			at = skipString(text, at) - 1
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if depth > maxDepth {
			return true
		}
	}
	return false
}

// isText compares a string of valid JSON, with its quotes, with a plain text.
func isText(raw json.RawMessage, plain string) bool {
	if string(raw[1:len(raw)-1]) == plain {
		return true
	}
	// The longest escape has six characters for one.
	if len(raw) > 2+6*len(plain) || bytes.IndexByte(raw, '\\') < 0 {
		return false
	}
	var text string
	return json.Unmarshal(raw, &text) == nil && text == plain
}

// skipValue says where a value of valid JSON ends.
func skipValue(raw []byte, at int) int {
	switch raw[at] {
	case '"':
		return skipString(raw, at)
	case '[', '{':
		for depth := 0; ; at++ {
			switch raw[at] {
			case '"':
				at = skipString(raw, at) - 1
			case '[', '{':
				depth++
			case ']', '}':
				if depth--; depth == 0 {
					return at + 1
				}
			}
		}
	}
	for at < len(raw) && !isSpace(raw[at]) && raw[at] != ',' && raw[at] != ']' && raw[at] != '}' {
		at++
	}
	return at
}

// skipString says where a string ends, which is the text's end if it does not.
func skipString(raw []byte, at int) int {
	for at++; at < len(raw); at++ {
		switch raw[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return len(raw)
}

func afterComma(raw []byte, at int) int {
	if at = skipSpace(raw, at); raw[at] == ',' {
		at = skipSpace(raw, at+1)
	}
	return at
}

func skipSpace(raw []byte, at int) int {
	for at < len(raw) && isSpace(raw[at]) {
		at++
	}
	return at
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }
