// @NAME@: a Falco plugin that counts, and says what it counted.
//
// An event's payload is a number in decimal text. Replace NextBatch with your own
// source and Extract with your own fields.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins/extractor"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins/source"
)

// Config is the init config; Schema describes it.
type Config struct {
	Step uint64 `json:"step"`
}

// Counter is the plugin: one for each initialised state.
type Counter struct {
	plugins.BasePlugin
	config Config
}

// Stream is one open stream.
type Stream struct {
	source.BaseInstance
	done, end, step uint64
}

func (c *Counter) Info() *plugins.Info {
	return &plugins.Info{
		ID:          999, // for trials; ask for one of your own
		Name:        "@NAME@",
		Description: "Counts, and says what it counted",
		Contact:     "@CONTACT@",
		Version:     "0.1.0",
		EventSource: "@NAME@",
	}
}

func (c *Counter) InitSchema() *sdk.SchemaInfo {
	return &sdk.SchemaInfo{Schema: `{"type": "object", "additionalProperties": false,
		"properties": {"step": {"type": "integer", "minimum": 1, "default": 1,
		"description": "How much each event adds to the count"}}}`}
}

func (c *Counter) Init(config string) error {
	c.config = Config{Step: 1}
	if config == "" {
		return nil
	}
	return json.Unmarshal([]byte(config), &c.config)
}

func (c *Counter) OpenParams() ([]sdk.OpenParam, error) {
	return []sdk.OpenParam{{Value: "1000", Desc: "count a thousand events"}}, nil
}

func (c *Counter) Open(params string) (source.Instance, error) {
	end := uint64(1000)
	if params != "" {
		var err error
		if end, err = strconv.ParseUint(params, 10, 64); err != nil {
			return nil, fmt.Errorf("open params: '%s' is no number of events", params)
		}
	}
	return &Stream{end: end, step: c.config.Step}, nil
}

func (s *Stream) NextBatch(_ sdk.PluginState, evts sdk.EventWriters) (int, error) {
	for n := 0; n < evts.Len(); n++ {
		if s.done == s.end {
			return n, sdk.ErrEOF
		}
		text := strconv.FormatUint(s.done*s.step, 10)
		if _, err := evts.Get(n).Writer().Write([]byte(text)); err != nil {
			return n, err
		}
		s.done++
	}
	return evts.Len(), nil
}

func (s *Stream) Progress(_ sdk.PluginState) (float64, string) {
	text := fmt.Sprintf("%d of %d events", s.done, s.end)
	if s.end == 0 {
		return 1, text
	}
	return float64(s.done) / float64(s.end), text
}

func (c *Counter) String(evt sdk.EventReader) (string, error) {
	data, err := io.ReadAll(evt.Reader())
	return "counted to " + string(data), err
}

func (c *Counter) Fields() []sdk.FieldEntry {
	return []sdk.FieldEntry{
		{Type: "uint64", Name: "@FIELD@.value", Desc: "The number counted to"},
		{Type: "string", Name: "@FIELD@.text", Desc: "The number as text"},
		{Type: "bool", Name: "@FIELD@.even", Desc: "True for even numbers"},
		{Type: "uint64", Name: "@FIELD@.divisible",
			Desc: "1 if the number is divisible by the argument, else 0",
			Arg:  sdk.FieldEntryArg{IsRequired: true, IsIndex: true}},
	}
}

func (c *Counter) Extract(req sdk.ExtractRequest, evt sdk.EventReader) error {
	data, err := io.ReadAll(evt.Reader())
	if err != nil {
		return err
	}
	value, err := strconv.ParseUint(string(data), 10, 64)
	if err != nil {
		return err
	}
	switch req.FieldID() {
	case 0:
		req.SetValue(value)
	case 1:
		req.SetValue(string(data))
	case 2:
		req.SetValue(value%2 == 0)
	case 3:
		by := req.ArgIndex()
		if by == 0 {
			return fmt.Errorf("nothing is divisible by 0")
		}
		divisible := uint64(0)
		if value%by == 0 {
			divisible = 1
		}
		req.SetValue(divisible)
	}
	return nil
}

func init() {
	plugins.SetFactory(func() plugins.Plugin {
		p := &Counter{}
		source.Register(p)
		extractor.Register(p)
		return p
	})
}

func main() {}
