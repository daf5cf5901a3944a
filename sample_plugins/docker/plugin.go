// A Falco plugin that turns the event stream of a Docker engine into events.
//
// plugin.go says who the plugin is and reads its config, stream.go opens the event
// stream, fields.go takes field values out of an event.
package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins/extractor"
	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk/plugins/source"
)

const defaultFlushSeconds = 2

// Config is the init config.
type Config struct {
	// FlushInterval: how long a started batch may wait for more events, in seconds.
	FlushInterval float64 `json:"flush_interval"`
}

// Plugin is one initialised state.
type Plugin struct {
	plugins.BasePlugin
	config Config
	// The event that was decoded last: several fields are asked of one event.
	last     message
	lastNum  uint64
	lastSeen bool
}

func (p *Plugin) Info() *plugins.Info {
	return &plugins.Info{
		ID:          5,
		Name:        "docker",
		Description: "Events of a Docker engine",
		Contact:     "github.com/falcosecurity/plugins",
		Version:     "0.2.0",
		EventSource: "docker",
	}
}

func (p *Plugin) InitSchema() *sdk.SchemaInfo {
	return &sdk.SchemaInfo{Schema: `{
	"type": "object",
	"additionalProperties": false,
	"properties": {
		"flush_interval": {
			"type": "number", "minimum": 0, "maximum": 60, "default": 2,
			"title": "Flush interval",
			"description": "How long a started batch may wait for more events, in seconds"
		}
	}
}`}
}

func (p *Plugin) Init(config string) error {
	p.config = Config{FlushInterval: defaultFlushSeconds}
	if config == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(config), &p.config); err != nil {
		return fmt.Errorf("init config: %w", err)
	}
	return nil
}

// String gives evt.plugininfo: the event as Docker's own JSON.
func (p *Plugin) String(evt sdk.EventReader) (string, error) {
	data, err := io.ReadAll(evt.Reader())
	return string(data), err
}

func init() {
	plugins.SetFactory(func() plugins.Plugin {
		p := &Plugin{}
		source.Register(p)
		extractor.Register(p)
		return p
	})
}

// A shared library has no main of its own, but Go wants one.
func main() {}
