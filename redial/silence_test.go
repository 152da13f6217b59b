package redial

import (
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// Four looks at which no data has come make a silence. Control frames do not break it,
// and a look while nothing is read does.
func TestSilence(t *testing.T) {
	quiet := stream.Stats{BytesIn: 100}
	for name, test := range map[string]struct {
		looks []stream.Stats
		want  int // the look at which it is silent for too long; 0 for none
	}{
		"nothing ever":      {[]stream.Stats{{}, {}, {}, {}}, 4},
		"nothing more":      {[]stream.Stats{quiet, quiet, quiet, quiet, quiet}, 5},
		"a message":         {[]stream.Stats{{}, {}, {}, quiet, quiet, quiet, quiet, quiet}, 8},
		"control frames":    {[]stream.Stats{{}, {BytesIn: 2, ControlBytesIn: 2}, {BytesIn: 4, ControlBytesIn: 4}, {BytesIn: 6, ControlBytesIn: 6}}, 4},
		"a late Ping":       {[]stream.Stats{{}, {BytesIn: 2}, {BytesIn: 2, ControlBytesIn: 2}, {BytesIn: 2, ControlBytesIn: 2}, {BytesIn: 2, ControlBytesIn: 2}, {BytesIn: 2, ControlBytesIn: 2}}, 6},
		"nothing is read":   {[]stream.Stats{{}, {}, {}, {Held: true}, {}, {}, {}}, 0},
		"read once more":    {[]stream.Stats{{Held: true}, {}, {}, {}, {}}, 5},
		"part of a message": {[]stream.Stats{quiet, {BytesIn: 101}, {BytesIn: 102}, {BytesIn: 103}, {BytesIn: 104}}, 0},
	} {
		var w silence
		got := 0
		for i, look := range test.looks {
			if w.look(look) {
				got = i + 1
				break
			}
		}
		if got != test.want {
			t.Errorf("%s: silent for too long at look %d, want %d", name, got, test.want)
		}
	}
}
