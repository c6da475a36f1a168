package stickertoken

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const clientSecret = "sk_5ecre7"

// quick shortens the waiting times.
var quick = pace{
	file: 5 * time.Millisecond, ring: 5 * time.Millisecond, answer: 500 * time.Millisecond,
	retry: 2 * time.Millisecond, maxRetry: 10 * time.Millisecond, forget: time.Minute, poll: 1,
}

// testStore answers like the store, through a real server, and breaks down as a test wants.
type testStore struct {
	*httptest.Server
	mu       sync.Mutex
	ring     string
	version  int
	entries  []string
	pageSize int
	// instead, if set, answers in the store's place where it returns true.
	instead  func(w http.ResponseWriter, r *http.Request) bool
	requests []string
	status   map[int]int
}

func newTestStore(t *testing.T) *testStore {
	s := &testStore{ring: hmacAlone, pageSize: 2, status: map[int]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Server.Close)
	return s
}

func (s *testStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.URL.String())
	instead, ring, etag := s.instead, s.ring, fmt.Sprintf(`"%d"`, s.version)
	s.mu.Unlock()
	switch {
	case instead != nil && instead(w, r):
	case r.Header.Get("Authorization") != "Bearer "+clientSecret:
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/v1/keyring":
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			s.count(http.StatusNotModified)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		s.count(http.StatusOK)
		fmt.Fprint(w, ring)
	case r.URL.Path == "/v1/revocations":
		s.feed(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *testStore) feed(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	wait, _ := strconv.Atoi(r.URL.Query().Get("wait"))
	for end := time.Now().Add(time.Duration(wait) * time.Second); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		entries := s.entries
		s.mu.Unlock()
		if after > len(entries) {
			s.count(http.StatusConflict)
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, `{"error":{"code":"cursor_ahead","message":"","request_id":""}}`)
			return
		}
		if after == len(entries) && time.Now().Before(end) && r.Context().Err() == nil {
			continue
		}
		upTo := after + s.pageSize
		if upTo > len(entries) {
			upTo = len(entries)
		}
		fmt.Fprintf(w, `{"revocations":[%s],"cursor":%d,"more":%t}`, strings.Join(entries[after:upTo], ","), upTo, upTo < len(entries))
		return
	}
}

func (s *testStore) count(status int) { s.set(func() { s.status[status]++ }) }

func (s *testStore) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *testStore) read(look func() bool) func() bool {
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return look()
	}
}

func revocation(cursor int, sticker uint64) string {
	return fmt.Sprintf(`{"cursor":%d,"user_hex":"%x","sticker_ids":[%d],"refuse_until":4294967295}`, cursor, owner, sticker)
}

// problems collects what an Updater reports.
type problems struct {
	mu   sync.Mutex
	seen []string
}

func (p *problems) add(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, err.Error())
}

func (p *problems) has(part string) func() bool {
	return func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return strings.Contains(strings.Join(p.seen, "\n"), part)
	}
}

func (p *problems) count(part string) (times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.seen {
		if strings.Contains(problem, part) {
			times++
		}
	}
	return times
}

func (p *problems) options() Options {
	return Options{OnProblem: p.add, StartTimeout: 20 * time.Second, pace: quick}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func follow(t *testing.T, s *testStore) (*Updater, *problems) {
	t.Helper()
	p := new(problems)
	u, err := FollowStore(context.Background(), s.URL, clientSecret, p.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u, p
}

func (u *Updater) says(text string, sticker uint64) func() string {
	return func() string {
		_, err := u.VerifyAt(text, sticker, owner, early)
		return codeOf(err)
	}
}

func (u *Updater) refuses(sticker uint64) func() bool {
	return func() bool { return u.says(issue(1, 3, expiry, sticker, owner), sticker)() == "revoked" }
}

func TestAtTheStartTheWholeFeedIsReadBeforeAnythingIsAccepted(t *testing.T) {
	s := newTestStore(t)
	for n := 1; n <= 7; n++ {
		s.entries = append(s.entries, revocation(n, uint64(n)))
	}
	u, _ := follow(t, s)
	for n := uint64(1); n <= 7; n++ {
		if !u.refuses(n)() {
			t.Error("not refused:", n)
		}
	}
	if code := u.says(golden, sticker)(); code != "ok" {
		t.Error(code)
	}
}

func TestARevocationArrivesThroughTheLongPollWhichTheStartDoesNotWaitFor(t *testing.T) {
	s := newTestStore(t)
	u, _ := follow(t, s)
	s.read(func() bool {
		for _, request := range s.requests {
			if strings.Contains(request, "revocations") {
				if !strings.HasSuffix(request, "?after=0&wait=0") {
					t.Error(request)
				}
				return true
			}
		}
		return false
	})()
	eventually(t, "a waiting poll", s.read(func() bool { return strings.Contains(strings.Join(s.requests, " "), "after=0&wait=1") }))
	s.set(func() { s.entries = append(s.entries, revocation(1, sticker)) })
	eventually(t, "refused", u.refuses(sticker))
}

func TestANewRingIsTakenAndAnUnchangedOneIsNotSentAgain(t *testing.T) {
	s := newTestStore(t)
	u, _ := follow(t, s)
	eventually(t, "304 twice", s.read(func() bool { return s.status[304] >= 2 }))
	if s.read(func() bool { return s.status[200] != 1 })() {
		t.Error("the ring was sent again")
	}
	text := issue(2, 4, expiry, sticker, owner)
	if code := u.says(text, sticker)(); code != "unsupported_version" {
		t.Error(code)
	}
	s.set(func() { s.ring, s.version = bothKeys, 1 })
	eventually(t, "accepted", func() bool { return u.says(text, sticker)() == "ok" })
}

func TestABadRingNeitherReplacesTheLastGoodOneNorCountsAsUnchanged(t *testing.T) {
	s := newTestStore(t)
	u, p := follow(t, s)
	s.set(func() { s.ring, s.version = `{"keys":[`+keyThree+","+keyThree+`]}`, 1 })
	eventually(t, "reported", p.has("/v1/keyring: duplicate_id"))
	failures := u.Status().RingFailures
	eventually(t, "refused again and again", func() bool { return u.Status().RingFailures > failures+2 })
	if times := p.count("duplicate_id"); times != 1 {
		t.Error("reported", times, "times")
	}
	if code := u.says(golden, sticker)(); code != "ok" {
		t.Error(code)
	}
	last := u.Status().RingAge
	eventually(t, "it ages", func() bool { return u.Status().RingAge > last+20*time.Millisecond })
	s.set(func() { s.ring, s.version = bothKeys, 2 })
	eventually(t, "accepted", func() bool { return fmt.Sprint(u.Ring().IDs()) == "[3 4]" })
}

func TestAnUnchangedRingThatNobodyAskedForIsAFailure(t *testing.T) {
	s := newTestStore(t)
	s.instead = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v1/keyring" {
			w.WriteHeader(http.StatusNotModified)
		}
		return r.URL.Path == "/v1/keyring"
	}
	options := new(problems).options()
	options.StartTimeout = time.Second
	if _, err := FollowStore(context.Background(), s.URL, clientSecret, options); err == nil || !strings.Contains(err.Error(), "bad_json") {
		t.Error(err)
	}
}

func TestAnEntryThatNothingNeedsIsForgotten(t *testing.T) {
	s := newTestStore(t)
	s.entries = []string{strings.Replace(revocation(1, 1), "4294967295", "1000000000", 1), revocation(2, 2)}
	u, _ := follow(t, s)
	if u.Denied.Len() != 1 || !u.refuses(2)() {
		t.Error(u.Denied.Len())
	}
}

func TestWhileTheStoreIsDownAllGoesOnAndAges(t *testing.T) {
	s := newTestStore(t)
	s.entries = []string{revocation(1, 7)}
	u, p := follow(t, s)
	s.set(func() {
		s.instead = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(503); return true }
	})
	eventually(t, "both reported", func() bool {
		return p.has("GET /v1/keyring: the store answered 503")() && p.has("GET /v1/revocations?after=1&wait=0: the store answered 503")()
	})
	before := u.Status()
	eventually(t, "both age", func() bool {
		now := u.Status()
		return now.RingAge > before.RingAge+20*time.Millisecond && now.FeedAge > before.FeedAge+20*time.Millisecond
	})
	if code := u.says(golden, sticker)(); code != "ok" || !u.refuses(7)() {
		t.Error(code)
	}
	s.set(func() { s.instead, s.entries = nil, append(s.entries, revocation(2, sticker)) })
	eventually(t, "refused once it is back", u.refuses(sticker))
}

func TestAStoreThatHangsUpIsAskedAgain(t *testing.T) {
	s := newTestStore(t)
	u, _ := follow(t, s)
	s.CloseClientConnections()
	s.set(func() { s.entries = []string{revocation(1, sticker)} })
	eventually(t, "refused", u.refuses(sticker))
}

func TestAStoreThatNeverFinishesItsAnswerIsAFailureAndStopsNobody(t *testing.T) {
	s := newTestStore(t)
	u, p := follow(t, s)
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	s.set(func() {
		s.instead = func(w http.ResponseWriter, r *http.Request) bool {
			for {
				fmt.Fprint(w, " ")
				w.(http.Flusher).Flush()
				select {
				case <-over:
					return true
				case <-r.Context().Done():
					return true
				case <-time.After(10 * time.Millisecond):
				}
			}
		}
	})
	eventually(t, "reported", p.has("deadline exceeded"))
	if code := u.says(golden, sticker)(); code != "ok" {
		t.Error(code)
	}
}

func TestAnAnswerOfMoreThan8MiBIsNotReadToItsEnd(t *testing.T) {
	s := newTestStore(t)
	_, p := follow(t, s)
	s.set(func() {
		s.instead = func(w http.ResponseWriter, r *http.Request) bool {
			for piece := make([]byte, 1<<20); ; {
				if _, err := w.Write(piece); err != nil {
					return true
				}
			}
		}
	})
	eventually(t, "reported", p.has("GET /v1/keyring: larger than 8 MiB"))
}

func TestAFeedThatHasMoreForEverIsReadWithPauses(t *testing.T) {
	s, asked := newTestStore(t), 0
	s.instead = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/revocations" {
			return false
		}
		after, _ := strconv.Atoi(r.URL.Query().Get("after"))
		fmt.Fprintf(w, `{"revocations":[],"cursor":%d,"more":true}`, after+1)
		s.set(func() { asked++ })
		return true
	}
	options := new(problems).options()
	options.StartTimeout, options.pace.retry = time.Second, time.Hour
	if u, err := FollowStore(context.Background(), s.URL, clientSecret, options); err == nil {
		u.Close()
		t.Error("it started")
	}
	s.set(func() {
		if asked == 0 || asked > 100 {
			t.Error("asked", asked, "times")
		}
	})
}

// clock is one that a test sets.
type clock struct{ seconds atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(c.seconds.Load(), 0) }

func followAt(t *testing.T, s *testStore, c *clock, forget time.Duration) *Updater {
	t.Helper()
	options := new(problems).options()
	options.clock, options.pace.forget = c.now, forget
	u, err := FollowStore(context.Background(), s.URL, clientSecret, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

func (s *testStore) lastAsked(query string) func() bool {
	return s.read(func() bool { return strings.HasSuffix(s.requests[len(s.requests)-1], query) })
}

func TestAClockThatIsSetBackBringsBackWhatWasForgotten(t *testing.T) {
	s, c := newTestStore(t), new(clock)
	s.entries = []string{strings.Replace(revocation(1, sticker), "4294967295", fmt.Sprint(expiry), 1)}
	c.seconds.Store(expiry)
	u := followAt(t, s, c, 0)
	if u.Denied.Len() != 1 {
		t.Error(u.Denied.Len())
	}
	c.seconds.Store(expiry + 300)
	eventually(t, "forgotten", func() bool { return u.Denied.Len() == 0 })
	c.seconds.Store(expiry - 1)
	eventually(t, "refused", u.refuses(sticker))
	eventually(t, "a waiting poll", s.lastAsked("after=1&wait=1"))
}

func TestEntriesAreNotLookedThroughAtEachPage(t *testing.T) {
	s, c := newTestStore(t), new(clock)
	s.entries = []string{strings.Replace(revocation(1, 1), "4294967295", fmt.Sprint(expiry), 1)}
	c.seconds.Store(expiry)
	u := followAt(t, s, c, time.Hour)
	c.seconds.Store(expiry + 300)
	s.set(func() { s.entries = append(s.entries, revocation(2, 2)) })
	eventually(t, "refused", u.refuses(2))
	eventually(t, "a waiting poll", s.lastAsked("after=2&wait=1"))
	if u.Denied.Len() != 2 {
		t.Error(u.Denied.Len())
	}
}

func TestWhatHearsOfAProblemMayClose(t *testing.T) {
	s, updater, closed := newTestStore(t), make(chan *Updater, 1), make(chan struct{})
	options := new(problems).options()
	var once sync.Once
	options.OnProblem = func(error) {
		once.Do(func() {
			(<-updater).Close()
			close(closed)
		})
	}
	u, err := FollowStore(context.Background(), s.URL, clientSecret, options)
	if err != nil {
		t.Fatal(err)
	}
	updater <- u
	s.set(func() { s.ring, s.version = "{", 1 })
	eventually(t, "closed", func() bool {
		select {
		case <-closed:
			return true
		default:
			return false
		}
	})
	u.Close()
}

func TestPlainHTTPIsForThisMachineAlone(t *testing.T) {
	for _, host := range []string{"store.example", "10.0.0.1", "127.0.0.1.example", "[::2]", "0.0.0.0", "[::1%25lo].example"} {
		if _, err := newStore("http://"+host+":1", clientSecret, Options{}); err == nil {
			t.Error(host)
		}
	}
	for _, address := range []string{"http://localhost:1", "http://LocalHost", "http://127.9.9.9:1", "http://[::1]:1", "https://store.example"} {
		if _, err := newStore(address, clientSecret, Options{}); err != nil {
			t.Error(address, err)
		}
	}
	if _, err := newStore("http://store.example", clientSecret, Options{}); err == nil || !strings.Contains(err.Error(), "use https://host") {
		t.Error(err)
	}
}

func TestABadPageIsRefusedAsAWholeAndTheCursorStays(t *testing.T) {
	for name, page := range map[string]string{
		"an entry without its user": `{"revocations":[` + revocation(1, 7) + `,{"cursor":2,"sticker_ids":[1],"refuse_until":1}],"cursor":2,"more":false}`,
		"no progress":               `{"revocations":[],"cursor":1,"more":true}`,
		"a step back":               `{"revocations":[],"cursor":0,"more":false}`,
		"no JSON":                   `<html>`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestStore(t)
			s.entries = []string{revocation(1, 1)}
			u, p := follow(t, s)
			s.set(func() {
				s.instead = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != "/v1/revocations" {
						return false
					}
					fmt.Fprint(w, page)
					return true
				}
			})
			eventually(t, "reported", p.has("after=1&wait=1: bad_page"))
			if u.Denied.Len() != 1 {
				t.Error("a part of the page counts")
			}
			s.set(func() { s.instead, s.entries = nil, append(s.entries, revocation(2, sticker)) })
			eventually(t, "refused", u.refuses(sticker))
		})
	}
}

func TestAStoreRestoredFromABackupIsReadFromTheBeginningAndTheEntriesStay(t *testing.T) {
	s := newTestStore(t)
	s.entries = []string{revocation(1, 1), revocation(2, 2), revocation(3, 3)}
	u, _ := follow(t, s)
	s.set(func() { s.entries = []string{revocation(1, 9)} })
	eventually(t, "the new entry", u.refuses(9))
	if !u.refuses(3)() {
		t.Error("an entry was lost")
	}
	if s.read(func() bool { return s.status[409] == 0 })() {
		t.Error("no 409 was met")
	}
}

func TestAStartThatFailsSaysWhyAndLeavesNothingRunning(t *testing.T) {
	s := newTestStore(t)
	for name, c := range map[string]struct{ address, secret, says string }{
		"wrong secret":            {s.URL, "sk_wrong", "the store answered 401"},
		"nobody listens":          {"http://127.0.0.1:1", clientSecret, "refused"},
		"a redirect":              {s.URL + "/redirect", clientSecret, "the store answered 302"},
		"no address":              {"store.example", clientSecret, "https://host"},
		"a password in it":        {"https://me:hunter2@store.example", clientSecret, "https://host"},
		"a secret with an ending": {s.URL, clientSecret + "\n", "client secret"},
	} {
		t.Run(name, func(t *testing.T) {
			s.set(func() {
				s.instead = func(w http.ResponseWriter, r *http.Request) bool {
					if !strings.HasPrefix(r.URL.Path, "/redirect") {
						return false
					}
					http.Redirect(w, r, "/v1/keyring", http.StatusFound)
					return true
				}
			})
			options := new(problems).options()
			options.StartTimeout = time.Second
			u, err := FollowStore(context.Background(), c.address, c.secret, options)
			if err == nil {
				u.Close()
				t.Fatal("it started")
			}
			if text := err.Error(); !strings.Contains(text, c.says) || strings.Contains(text, "5ecre7") || strings.Contains(text, "hunter2") {
				t.Error(text)
			}
		})
	}
}

func TestTheEndOfTheContextEndsTheWorkAndAStart(t *testing.T) {
	s := newTestStore(t)
	ctx, cancel := context.WithCancel(context.Background())
	u, err := FollowStore(ctx, s.URL, clientSecret, new(problems).options())
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	u.wait()
	if _, err := FollowStore(ctx, s.URL, clientSecret, new(problems).options()); err != context.Canceled {
		t.Error(err)
	}
	if code := u.says(golden, sticker)(); code != "ok" {
		t.Error(code)
	}
}

func TestNoPrintOfAnUpdaterShowsTheSecret(t *testing.T) {
	u, _ := follow(t, newTestStore(t))
	u.Close()
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if shown := fmt.Sprintf(verb, u); strings.Contains(shown, "5ecre7") {
			t.Error(shown)
		}
	}
}

func TestManyVerifyWhileRingAndEntriesChange(t *testing.T) {
	s := newTestStore(t)
	u, _ := follow(t, s)
	var all sync.WaitGroup
	for n := 0; n < 4; n++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for !u.refuses(20)() {
				if code := u.says(golden, sticker)(); code != "ok" {
					t.Error(code)
					return
				}
			}
		}()
	}
	for n := 1; n <= 20; n++ {
		s.set(func() { s.entries, s.version = append(s.entries, revocation(n, uint64(n))), n })
		eventually(t, "refused", u.refuses(uint64(n)))
	}
	all.Wait()
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	next := path + ".next"
	if err := os.WriteFile(next, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

func TestAKeyFileIsReadAgainAndABadOneIsReported(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	write(t, path, hmacAlone, 0o600)
	p := new(problems)
	u, err := WatchFile(context.Background(), path, p.options())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	ids := func(want string) func() bool { return func() bool { return fmt.Sprint(u.Ring().IDs()) == want } }
	write(t, path, bothKeys, 0o600)
	eventually(t, "both keys", ids("[3 4]"))

	write(t, path, "{\n]", 0o600)
	eventually(t, "bad JSON", p.has("bad_json: line 2"))
	write(t, path, hmacAlone, 0o640)
	eventually(t, "open to others", p.has("mode 0640"))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no file", p.has("no such file"))
	if !ids("[3 4]")() || u.Status().RingFailures < 3 {
		t.Error(u.Ring(), u.Status())
	}
	before := u.Status().RingAge
	eventually(t, "it ages", func() bool { return u.Status().RingAge > before+20*time.Millisecond })

	write(t, path, hmacAlone, 0o600)
	eventually(t, "the first again", ids("[3]"))
}

func TestABadKeyFileIsRefusedAtTheStart(t *testing.T) {
	folder := t.TempDir()
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		says string
	}{
		"bad":            {"{\"keys\":[\n{}]}", 0o600, "bad_id: key 1"},
		"open to others": {hmacAlone, 0o604, "mode 0604"},
	} {
		path := filepath.Join(folder, name)
		write(t, path, c.text, c.mode)
		if _, err := WatchFile(context.Background(), path, Options{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Error(err)
		}
	}
	if _, err := WatchFile(context.Background(), filepath.Join(folder, "none"), Options{}); !os.IsNotExist(err) {
		t.Error(err)
	}
	pipe, large := filepath.Join(folder, "pipe"), filepath.Join(folder, "large")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, large, hmacAlone, 0o600)
	if err := os.Truncate(large, 16<<20+1); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{pipe: "not a regular file", folder: "not a regular file", large: "larger than 16 MiB"} {
		if _, err := WatchFile(context.Background(), path, Options{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Error(err)
		}
	}
}
