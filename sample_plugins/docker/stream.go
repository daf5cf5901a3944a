package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins/source"
	"github.com/moby/moby/client"
)

const (
	// The longest that one NextBatch keeps the host waiting.
	longestWait = 50 * time.Millisecond
	// How long an engine may take to answer when the stream is opened.
	openTimeout = 5 * time.Second
	// The longest recorded event that is read.
	longestLine = 1 << 20
)

// Stream is one open stream: a goroutine fills the channel, NextBatch empties it.
type Stream struct {
	source.BaseInstance
	events  chan []byte
	failure chan error
	cancel  context.CancelFunc
	flush   time.Duration
	pending [][]byte
	since   time.Time
	ended   error
	done    uint64
}

const (
	usualSocket = "/var/run/docker.sock"
	recorded    = "data/events.jsonl"
)

// OpenParams suggests what is there: the usual engine, a recorded stream below the
// working directory.
func (p *Plugin) OpenParams() ([]sdk.OpenParam, error) {
	params := []sdk.OpenParam{}
	if _, err := os.Stat(usualSocket); err == nil {
		params = append(params, sdk.OpenParam{
			Value: "unix://" + usualSocket, Desc: "the engine of this machine"})
	}
	if _, err := os.Stat(recorded); err == nil {
		params = append(params, sdk.OpenParam{
			Value: recorded, Desc: "a recorded stream, one event per line"})
	}
	return params, nil
}

// Open takes the address of an engine (unix://, tcp://, http://), the path of a file
// with recorded events, or nothing for the engine that the environment names.
func (p *Plugin) Open(params string) (source.Instance, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Stream{
		events:  make(chan []byte, 1024),
		failure: make(chan error, 1),
		cancel:  cancel,
		flush:   time.Duration(p.config.FlushInterval * float64(time.Second)),
	}
	var err error
	if params == "" || strings.Contains(params, "://") {
		err = s.follow(ctx, params)
	} else {
		err = s.replay(ctx, params)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	return s, nil
}

// follow asks an engine for its events: one client for the life of the stream.
func (s *Stream) follow(ctx context.Context, host string) error {
	options := []client.Opt{client.FromEnv}
	if host != "" {
		options = []client.Opt{client.WithHost(host)}
	}
	engine, err := client.New(options...)
	if err != nil {
		return fmt.Errorf("docker engine %s: %w", host, err)
	}
	asked, enough := context.WithTimeout(ctx, openTimeout)
	defer enough()
	if _, err := engine.Ping(asked, client.PingOptions{}); err != nil {
		engine.Close()
		return fmt.Errorf("no docker engine answers: %w", err)
	}
	result := engine.Events(ctx, client.EventsListOptions{})
	go func() {
		defer engine.Close()
		for {
			select {
			case m := <-result.Messages:
				data, err := json.Marshal(m)
				if err != nil {
					continue
				}
				select {
				case s.events <- data:
				case <-ctx.Done():
					return
				}
			case err := <-result.Err:
				s.failure <- err
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return nil
}

// replay reads recorded events from a file.
func (s *Stream) replay(ctx context.Context, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	go func() {
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, longestLine)
		for lines.Scan() {
			if len(bytes.TrimSpace(lines.Bytes())) == 0 {
				continue
			}
			select {
			case s.events <- bytes.Clone(lines.Bytes()):
			case <-ctx.Done():
				return
			}
		}
		if err := lines.Err(); err != nil {
			s.failure <- fmt.Errorf("%s: %w", path, err)
			return
		}
		s.failure <- io.EOF
	}()
	return nil
}

// gather waits for events, at most longestWait, and stops at a full batch.
func (s *Stream) gather(room int) {
	wait := time.NewTimer(longestWait)
	defer wait.Stop()
	for len(s.pending) < room {
		select {
		case data := <-s.events:
			if len(s.pending) == 0 {
				s.since = time.Now()
			}
			s.pending = append(s.pending, data)
			continue
		default:
		}
		if s.ended != nil || (len(s.pending) > 0 && time.Since(s.since) >= s.flush) {
			return
		}
		select {
		case data := <-s.events:
			if len(s.pending) == 0 {
				s.since = time.Now()
			}
			s.pending = append(s.pending, data)
		case s.ended = <-s.failure:
		case <-wait.C:
			return
		}
	}
}

// NextBatch gives a batch when it is full, has waited for the flush interval, or when
// nothing more will come.
func (s *Stream) NextBatch(_ sdk.PluginState, evts sdk.EventWriters) (int, error) {
	s.gather(evts.Len())
	full := len(s.pending) == evts.Len()
	late := len(s.pending) > 0 && time.Since(s.since) >= s.flush
	if !full && !late && s.ended == nil {
		return 0, sdk.ErrTimeout
	}
	for n, data := range s.pending {
		evt := evts.Get(n)
		if when := eventTime(data); when > 0 {
			evt.SetTimestamp(uint64(when))
		}
		if _, err := evt.Writer().Write(data); err != nil {
			return n, err
		}
	}
	n := len(s.pending)
	s.pending = s.pending[:0]
	s.done += uint64(n)
	if s.ended == nil || full {
		return n, nil
	}
	if errors.Is(s.ended, io.EOF) {
		return n, sdk.ErrEOF
	}
	if n > 0 {
		// Events first; the failure is told by the next call.
		return n, nil
	}
	return 0, s.ended
}

// eventTime gives the engine's own time of an event, in ns, 0 if it has none.
func eventTime(data []byte) int64 {
	var stamp struct {
		Time     int64 `json:"time"`
		TimeNano int64 `json:"timeNano"`
	}
	if json.Unmarshal(data, &stamp) != nil {
		return 0
	}
	if stamp.TimeNano == 0 {
		return stamp.Time * int64(time.Second)
	}
	return stamp.TimeNano
}

func (s *Stream) Progress(_ sdk.PluginState) (float64, string) {
	return 0, fmt.Sprintf("%d events", s.done)
}

// Close ends the goroutine that fills the channel.
func (s *Stream) Close() {
	s.cancel()
}
