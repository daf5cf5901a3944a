// dummy: events that are just numbers, each a little larger than the one before.
//
// The Go half of the reference pair of the plugin developers guide; ../dummy_c is the
// other. Both announce the same fields and make the same events.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins/extractor"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins/source"
)

const maxJitter = 1<<53 - 1

// maxDigits: of a number of 64 bits.
const maxDigits = 20

const initSchema = `{
	"$schema": "http://json-schema.org/draft-07/schema#",
	"type": "object",
	"properties": {
		"jitter": {
			"type": "integer",
			"minimum": 0,
			"maximum": 9007199254740991,
			"default": 10,
			"title": "Jitter",
			"description": "Most that is added to the step between two numbers"
		}
	}
}`

// Config is the init config.
type Config struct {
	Jitter uint64 `json:"jitter"`
}

// Plugin is one initialised state.
type Plugin struct {
	plugins.BasePlugin
	config Config
}

// Instance is one running stream of events.
type Instance struct {
	source.BaseInstance
	sample    uint64
	maxEvents uint64
	counter   uint64
}

// Params are the open params; pointers tell what was left out.
type Params struct {
	Start     *uint64 `json:"start"`
	MaxEvents *uint64 `json:"maxEvents"`
}

func (p *Plugin) Info() *plugins.Info {
	return &plugins.Info{
		ID:          3,
		Name:        "dummy",
		Description: "Numbers that grow by a random step: a first plugin in Go",
		Contact:     "the authors of the Falco Plugin Workbench",
		Version:     "0.4.0",
		EventSource: "dummy",
	}
}

func (p *Plugin) InitSchema() *sdk.SchemaInfo {
	return &sdk.SchemaInfo{Schema: initSchema}
}

func (p *Plugin) Init(config string) error {
	p.config = Config{Jitter: 10}
	if config == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(config), &p.config); err != nil {
		return fmt.Errorf("init config %s: %w", config, err)
	}
	if p.config.Jitter > maxJitter {
		return fmt.Errorf("init config %s: jitter is larger than %d", config, maxJitter)
	}
	return nil
}

func (p *Plugin) OpenParams() ([]sdk.OpenParam, error) {
	return []sdk.OpenParam{
		{Value: `{"start": 1, "maxEvents": 20}`, Desc: "twenty numbers"},
		{Value: `{"start": 1, "maxEvents": 100000}`, Desc: "a hundred thousand numbers"},
	}, nil
}

func (p *Plugin) Open(text string) (source.Instance, error) {
	instance := &Instance{sample: 1, maxEvents: 20}
	// Room for the longest number, not for the 256 KiB per event of the default.
	events, err := sdk.NewEventWriters(int64(sdk.DefaultBatchSize), maxDigits)
	if err != nil {
		return nil, err
	}
	instance.SetEvents(events)
	if text == "" || text == "{}" {
		return instance, nil
	}
	var params Params
	if err := json.Unmarshal([]byte(text), &params); err != nil {
		return nil, fmt.Errorf("open params %s: %w", text, err)
	}
	if params.Start == nil {
		return nil, fmt.Errorf("open params %s have no \"start\"", text)
	}
	if params.MaxEvents == nil {
		return nil, fmt.Errorf("open params %s have no \"maxEvents\"", text)
	}
	instance.sample, instance.maxEvents = *params.Start, *params.MaxEvents
	return instance, nil
}

// NextBatch writes as many numbers as there is room for.
func (i *Instance) NextBatch(state sdk.PluginState, events sdk.EventWriters) (int, error) {
	jitter := state.(*Plugin).config.Jitter
	n := 0
	for ; n < events.Len() && i.counter < i.maxEvents; n++ {
		i.counter++
		i.sample += 1 + rand.Uint64N(jitter+1)
		event := events.Get(n)
		event.SetTimestamp(uint64(time.Now().UnixNano()))
		if _, err := event.Writer().Write([]byte(strconv.FormatUint(i.sample, 10))); err != nil {
			return 0, err
		}
	}
	if i.counter >= i.maxEvents {
		return n, sdk.ErrEOF // the last numbers go with it
	}
	return n, nil
}

func (i *Instance) Progress(sdk.PluginState) (float64, string) {
	done := 1.0
	if i.maxEvents > 0 {
		done = float64(i.counter) / float64(i.maxEvents)
	}
	return done, fmt.Sprintf("%d of %d", i.counter, i.maxEvents)
}

func (p *Plugin) String(event sdk.EventReader) (string, error) {
	payload, err := io.ReadAll(event.Reader())
	return fmt.Sprintf(`{"sample": "%s"}`, payload), err
}

func (p *Plugin) Fields() []sdk.FieldEntry {
	return []sdk.FieldEntry{
		{
			Type: "uint64",
			Name: "dummy.divisible",
			Desc: "1 if the number can be divided by the argument, 0 if not",
			Arg:  sdk.FieldEntryArg{IsRequired: true, IsKey: true},
		},
		{Type: "uint64", Name: "dummy.value", Desc: "The number"},
		{Type: "string", Name: "dummy.strvalue", Desc: "The number as text"},
	}
}

var errNoNumber = errors.New("the payload is no number")

func (p *Plugin) Extract(request sdk.ExtractRequest, event sdk.EventReader) error {
	payload, err := io.ReadAll(event.Reader())
	if err != nil {
		return err
	}
	if request.FieldID() == 2 {
		request.SetValue(string(payload))
		return nil
	}
	sample, err := strconv.ParseUint(string(payload), 10, 64)
	if err != nil {
		return errNoNumber
	}
	switch request.FieldID() {
	case 0:
		divisor, err := strconv.ParseUint(request.ArgKey(), 10, 64)
		if err != nil || divisor == 0 {
			// No value: in Go, a division by zero would end the process.
			return fmt.Errorf("nothing can be divided by %q", request.ArgKey())
		}
		divisible := uint64(0)
		if sample%divisor == 0 {
			divisible = 1
		}
		request.SetValue(divisible)
	case 1:
		request.SetValue(sample)
	default:
		return fmt.Errorf("there is no field %s", request.Field())
	}
	return nil
}

func init() {
	plugins.SetFactory(func() plugins.Plugin {
		p := &Plugin{}
		source.Register(p)
		extractor.Register(p)
		return p
	})
}

// main is required by the build mode c-shared, and never called.
func main() {}
