package stickertoken

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	// maxAnswer is beyond any answer of the store (section 1.6).
	maxAnswer = 8 << 20
	// maxFile is beyond any key file.
	maxFile = 16 << 20
	// clockStep is how many seconds a clock may go back without anything that was forgotten being needed again (section 1.6).
	clockStep = keptFor
	// pagesAtOnce is how many pages are read without a pause: a feed may have more for ever.
	pagesAtOnce = 100
)

// fileSource is a key file on this machine.
type fileSource struct {
	path string
	text []byte
}

// load reads the whole file each time: the time of change misses the second of two changes within one tick of the clock.
func (s *fileSource) load(v *Verifier) error {
	// Opening a pipe would otherwise wait for who writes into it.
	file, err := os.OpenFile(s.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: not a regular file", s.path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s: others than its owner may use the key file (mode %04o)", s.path, info.Mode().Perm())
	}
	text, err := readAll(file, maxFile)
	if err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	if s.text != nil && bytes.Equal(text, s.text) {
		return nil
	}
	ring, err := ParseRing(text)
	if err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	v.SetRing(ring)
	s.text = text
	return nil
}

func readAll(from io.Reader, max int) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, int64(max)+1))
	if err == nil && len(text) > max {
		return nil, fmt.Errorf("larger than %d MiB", max>>20)
	}
	return text, err
}

// store asks one store with one secret.
type store struct {
	client http.Client
	pace   pace
	clock  func() time.Time
	// request holds the secret where no print of the struct can show it.
	request func(ctx context.Context, path string) (*http.Request, error)
}

func newStore(address, secret string, options Options) (*store, error) {
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "" || base.User != nil ||
		base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("the store's address is not of the form https://host")
	}
	if base.Scheme == "http" && !isThisMachine(base.Hostname()) {
		return nil, errors.New("the store's address is http://, which only a store on this machine may have: its answer holds keys; use https://host")
	}
	if secret == "" || strings.IndexFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return nil, errors.New("the client secret is empty or has characters that no secret has")
	}
	address = strings.TrimRight(address, "/")
	s := &store{pace: options.pace, clock: options.clock}
	s.client.Transport = options.Transport
	// The secret is for this store, and not for where it might point.
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.request = func(ctx context.Context, path string) (*http.Request, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+path, nil)
		if err == nil {
			request.Header.Set("Authorization", "Bearer "+secret)
		}
		return request, err
	}
	return s, nil
}

func isThisMachine(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// get answers with status, ETag and body of an answer that one of the two sources can use.
func (s *store) get(ctx context.Context, path, etag string, timeout time.Duration) (int, string, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := s.request(ctx, path)
	if err != nil {
		return 0, "", nil, err
	}
	if etag != "" {
		request.Header.Set("If-None-Match", etag)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return 0, "", nil, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK, http.StatusNotModified, http.StatusConflict:
		body, err := readAll(answer.Body, maxAnswer)
		if err != nil {
			err = fmt.Errorf("GET %s: %w", path, err)
		}
		return answer.StatusCode, answer.Header.Get("ETag"), body, err
	default:
		return 0, "", nil, fmt.Errorf("GET %s: the store answered %d", path, answer.StatusCode)
	}
}

// ringSource is the store's keyring.
type ringSource struct {
	*store
	etag string
}

func (s *ringSource) load(ctx context.Context, v *Verifier) error {
	const path = "/v1/keyring"
	status, etag, body, err := s.get(ctx, path, s.etag, s.pace.answer)
	if err != nil || status == http.StatusNotModified && s.etag != "" {
		return err
	}
	ring, err := ParseRing(body)
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	v.SetRing(ring)
	// Only now: a ring that was refused must not turn into one that has not changed.
	s.etag = etag
	return nil
}

// feedSource is the store's deny feed.
type feedSource struct {
	*store
	cursor   uint64
	caughtUp bool
	// looked is when entries were last looked through, by the clock that no one sets, and forgot the latest time at which.
	looked time.Time
	forgot int64
}

// load reads the feed to its end. It waits for news where the end was reached before and nothing failed since.
func (s *feedSource) load(ctx context.Context, v *Verifier) error {
	if now := s.clock().Unix(); !s.looked.IsZero() && now < s.forgot-clockStep {
		// What was forgotten may be needed again, and the store still has it.
		s.cursor, s.caughtUp, s.forgot = 0, false, now
	}
	wait, restarted := 0, false
	if s.caughtUp {
		wait = s.pace.poll
	}
	s.caughtUp = false
	for pages := 1; ; pages++ {
		path := fmt.Sprintf("/v1/revocations?after=%d&wait=%d", s.cursor, wait)
		status, _, body, err := s.get(ctx, path, "", s.pace.answer+time.Duration(wait)*time.Second)
		if err != nil {
			return err
		}
		if status == http.StatusConflict && s.cursor > 0 && !restarted {
			s.cursor, restarted = 0, true
			continue
		}
		page, err := ParsePage(body, s.cursor)
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("GET %s: %w (status %d)", path, ErrBadPage, status)
		}
		v.Denied.Apply(page)
		s.cursor = page.Cursor
		if !page.More {
			s.forget(v)
			s.caughtUp = true
			return nil
		}
		wait = 0
		if pages%pagesAtOnce == 0 {
			s.forget(v)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(s.pace.retry):
			}
		}
	}
}

// forget looks through the entries, which takes a while, and therefore seldom.
func (s *feedSource) forget(v *Verifier) {
	if !s.looked.IsZero() && time.Since(s.looked) < s.pace.forget {
		return
	}
	now := s.clock()
	v.Denied.Forget(now)
	s.looked = time.Now()
	if now.Unix() > s.forgot {
		s.forgot = now.Unix()
	}
}
