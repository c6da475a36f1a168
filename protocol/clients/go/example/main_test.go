package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var secret = bytes.Repeat([]byte{0x5e}, 32)

func ring() string { return fmt.Sprintf(`{"keys":[{"id":3,"secret":"%x","state":"signing"}]}`, secret) }

func issue(sticker uint64, user string) string {
	body := binary.BigEndian.AppendUint32([]byte{1, 0, 3}, uint32(time.Now().Unix())+3600)
	body = append(binary.BigEndian.AppendUint64(body, sticker), user...)
	mac := hmac.New(sha256.New, secret)
	mac.Write(append([]byte("sticker-token-v1"), body...))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(body))
}

// run runs the built program with a few messages.
func run(t *testing.T, environment string, arguments ...string) (stdout, stderr string, err error) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "example")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	var input, output, errors bytes.Buffer
	for _, m := range []message{{"alice", 5, issue(5, "alice")}, {"bob", 5, issue(5, "alice")}, {"alice", 6, issue(6, "alice")}} {
		if err := json.NewEncoder(&input).Encode(m); err != nil {
			t.Fatal(err)
		}
	}
	input.WriteString("[1]\n" + strings.Repeat("[", 60_000) + "\n" + strings.Repeat("[", 200_000) + "\n")
	if err := json.NewEncoder(&input).Encode(message{"bob", 5, issue(5, "alice")}); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, arguments...)
	command.Env = append(os.Environ(), environment)
	command.Stdin, command.Stdout, command.Stderr = &input, &output, &errors
	err = command.Run()
	return output.String(), errors.String(), err
}

const (
	accepted = `{"accepted":true}` + "\n"
	wrong    = `{"accepted":false,"code":"wrong_user"}` + "\n"
	revoked  = `{"accepted":false,"code":"revoked"}` + "\n"
	bad      = `{"accepted":false,"code":"bad_message"}` + "\n"
)

func TestItServesWithAKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte(ring()), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, err := run(t, "", "--keys", path)
	if stdout != accepted+wrong+accepted+bad+bad+bad+wrong || stderr != "ready\n" || err != nil {
		t.Errorf("%s%s%v", stdout, stderr, err)
	}
}

func TestItServesWithAStore(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sk_5ecre7" {
			w.WriteHeader(http.StatusUnauthorized)
		} else if r.URL.Path == "/v1/keyring" {
			fmt.Fprint(w, ring())
		} else {
			fmt.Fprint(w, `{"revocations":[{"cursor":1,"user_hex":"616c696365","sticker_ids":[6],"refuse_until":4294967295}],`+
				`"cursor":1,"more":false}`)
		}
	}))
	defer store.Close()
	stdout, stderr, err := run(t, "STICKER_STORE_SECRET=sk_5ecre7", "--store", store.URL)
	if stdout != accepted+wrong+revoked+bad+bad+bad+wrong || stderr != "ready\n" || err != nil {
		t.Errorf("%s%s%v", stdout, stderr, err)
	}
}

func TestItSaysWhatIsWrongWithItsKeyFile(t *testing.T) {
	stdout, stderr, err := run(t, "", "--keys", filepath.Join(t.TempDir(), "none"))
	if stdout != "" || !strings.Contains(stderr, "no such file") || err == nil || err.Error() != "exit status 1" {
		t.Errorf("%s%s%v", stdout, stderr, err)
	}
}

func TestItWantsOneSource(t *testing.T) {
	if _, _, err := run(t, ""); err == nil || err.Error() != "exit status 2" {
		t.Error(err)
	}
}
