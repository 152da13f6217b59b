package feed_test

import (
	"testing"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/feed/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Arrangement {
		m := feed.NewMemory()
		return storetest.Arrangement{Open: func() feed.Store { return m.View() }, Read: m.Records}
	})
}
