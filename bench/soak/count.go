package main

import (
	"context"
	"fmt"
	"net/http"
)

// count takes the numbers that a client sends, which come one after the other. The
// client's Close says how many there were.
func (s *server) count(c *session, r *http.Request) {
	q := &sequence{name: "the server"}
	for m, err := range c.All(context.Background()) {
		if err == nil {
			err = q.take(m, 0)
		}
		if err != nil {
			s.fail(err)
			return
		}
		dawdle(c.random)
	}
	if st, _ := c.Result().Status(); st.Reason != fmt.Sprint(q.next) {
		s.fail(fmt.Errorf("the server: it got %d messages, and the client sent %s", q.next, st.Reason))
	}
}
