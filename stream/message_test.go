package stream_test

import (
	"fmt"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

func TestRoleString(t *testing.T) {
	if got := fmt.Sprint(stream.Client, stream.Server); got != "client server" {
		t.Errorf("the roles are %s", got)
	}
}
