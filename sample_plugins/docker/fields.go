package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/falcosecurity/plugin-sdk-go/pkg/sdk"
)

// message is an event as Docker writes it. Engines with an API older than 1.52 also
// send status, id and from; they repeat what stands elsewhere.
type message struct {
	Status string `json:"status"`
	ID     string `json:"id"`
	From   string `json:"from"`
	Type   string `json:"Type"`
	Action string `json:"Action"`
	Actor  struct {
		ID         string            `json:"ID"`
		Attributes map[string]string `json:"Attributes"`
	} `json:"Actor"`
	Scope    string `json:"scope"`
	TimeNano int64  `json:"timeNano"`
}

func orElse(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// One row for each field: its name, what it is, and where its value stands.
var fields = []struct {
	name, display, desc string
	value               func(m *message) string
}{
	{"docker.status", "Status", "The action, under the name old engines gave it",
		func(m *message) string { return orElse(m.Status, m.Action) }},
	{"docker.id", "ID", "ID of the object, under the name old engines gave it",
		func(m *message) string { return orElse(m.ID, m.Actor.ID) }},
	{"docker.from", "From", "Image of the container, under the name old engines gave it",
		func(m *message) string { return orElse(m.From, m.Actor.Attributes["image"]) }},
	{"docker.type", "Type", "Kind of object: container, image, network, volume …",
		func(m *message) string { return m.Type }},
	{"docker.action", "Action", "What happened; exec actions carry the command",
		func(m *message) string { return m.Action }},
	{"docker.actor.id", "Actor ID", "ID of the object that the event is about",
		func(m *message) string { return m.Actor.ID }},
	{"docker.attributes.container", "Container", "Container that a network event is about",
		func(m *message) string { return m.Actor.Attributes["container"] }},
	{"docker.attributes.image", "Image", "Image of the container",
		func(m *message) string { return m.Actor.Attributes["image"] }},
	{"docker.attributes.name", "Name", "Name of the object",
		func(m *message) string { return m.Actor.Attributes["name"] }},
	{"docker.attributes.type", "Driver", "Driver of a network",
		func(m *message) string { return m.Actor.Attributes["type"] }},
	{"docker.attributes.exitcode", "Exit code", "Exit code of a container that died",
		func(m *message) string { return m.Actor.Attributes["exitCode"] }},
	{"docker.scope", "Scope", "local, or swarm",
		func(m *message) string { return m.Scope }},
}

func (p *Plugin) Fields() []sdk.FieldEntry {
	entries := make([]sdk.FieldEntry, 0, len(fields))
	for _, f := range fields {
		entries = append(entries,
			sdk.FieldEntry{Type: "string", Name: f.name, Display: f.display, Desc: f.desc})
	}
	return entries
}

func (p *Plugin) Extract(req sdk.ExtractRequest, evt sdk.EventReader) error {
	if !p.lastSeen || p.lastNum != evt.EventNum() {
		data, err := io.ReadAll(evt.Reader())
		if err != nil {
			return err
		}
		p.last = message{}
		p.lastSeen = false
		if err := json.Unmarshal(data, &p.last); err != nil {
			return fmt.Errorf("event %d is not an event of Docker: %w", evt.EventNum(), err)
		}
		p.lastNum, p.lastSeen = evt.EventNum(), true
	}
	id := req.FieldID()
	if id >= uint64(len(fields)) {
		return fmt.Errorf("no field has the number %d", id)
	}
	// No value at all is better than an empty one: rules can tell with "exists".
	if value := fields[id].value(&p.last); value != "" {
		req.SetValue(value)
	}
	return nil
}
