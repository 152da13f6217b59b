package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A market that dies often: its trades come whole and in order, by lines and as a
// table.
func TestFeed(t *testing.T) {
	for name, live := range map[string]bool{"lines": false, "table": true} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			m := &market{trades: 400, every: time.Millisecond, life: 100 * time.Millisecond}
			if err := run(t.Context(), m, &screen{out: &out, live: live}); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			last := regexp.MustCompile(`^400 trades over (\d+) connections, 0 out of order; (\d+) gaps, (\d+) without a loss$`)
			if found := last.FindStringSubmatch(lines[len(lines)-1]); found == nil || found[2] == "0" || found[2] != found[3] {
				t.Errorf("it ends with %q", lines[len(lines)-1])
			}
			if live != strings.Contains(out.String(), "\x1b[") {
				t.Errorf("it prints\n%s", &out)
			}
		})
	}
}
