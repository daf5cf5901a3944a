//! hello_rs: a Falco plugin that counts, and says what it counted.
//!
//! An event's payload is a number in decimal text. Replace `next_batch` with your own
//! source and the `extract_` functions with your own fields.

use std::ffi::{CStr, CString};

use falco_plugin::anyhow::{anyhow, bail, Error};
use falco_plugin::base::{Json, Plugin};
use falco_plugin::event::PluginEvent;
use falco_plugin::event::events::Event;
use falco_plugin::extract::{field, ExtractFieldInfo, ExtractPlugin, ExtractRequest};
use falco_plugin::schemars::JsonSchema;
use falco_plugin::serde::Deserialize;
use falco_plugin::source::{
    serialize_open_params, EventBatch, EventInput, OpenParam, ProgressInfo, SourcePlugin,
    SourcePluginInstance,
};
use falco_plugin::tables::TablesInput;
use falco_plugin::{extract_plugin, plugin, source_plugin, FailureReason};

const BATCH: u64 = 128;

fn one() -> u64 {
    1
}

/// The init config; its JSON schema is derived from this.
#[derive(JsonSchema, Deserialize)]
#[schemars(crate = "falco_plugin::schemars")]
#[serde(crate = "falco_plugin::serde", deny_unknown_fields)]
pub struct Config {
    /// How much each event adds to the count
    #[serde(default = "one")]
    step: u64,
}

pub struct Counter {
    step: u64,
    open_params: CString,
}

/// One open stream.
pub struct Stream {
    done: u64,
    end: u64,
    step: u64,
    progress: CString,
}

fn number(event: &[u8]) -> Result<u64, Error> {
    Ok(std::str::from_utf8(event)?.parse()?)
}

impl Plugin for Counter {
    const NAME: &'static CStr = c"hello_rs";
    const PLUGIN_VERSION: &'static CStr = c"0.1.0";
    const DESCRIPTION: &'static CStr = c"Counts, and says what it counted";
    const CONTACT: &'static CStr = c"you@example.org";
    type ConfigType = Json<Config>;

    fn new(_tables: Option<&TablesInput>, Json(config): Self::ConfigType) -> Result<Self, Error> {
        if config.step == 0 {
            bail!("step must be at least 1");
        }
        Ok(Counter {
            step: config.step,
            open_params: CString::default(),
        })
    }
}

impl SourcePlugin for Counter {
    type Instance = Stream;
    const EVENT_SOURCE: &'static CStr = c"hello_rs";
    const PLUGIN_ID: u32 = 999;
    type Event<'a> = Event<PluginEvent<&'a [u8]>>;

    fn list_open_params(&mut self) -> Result<&CStr, Error> {
        let params = [OpenParam::Item {
            value: "1000",
            desc: "count a thousand events",
        }];
        serialize_open_params(&params, &mut self.open_params)
    }

    fn open(&mut self, params: Option<&str>) -> Result<Stream, Error> {
        let text = params.unwrap_or("");
        let end = if text.is_empty() {
            1000
        } else {
            text.parse()
                .map_err(|_| anyhow!("open params: '{text}' is no number of events"))?
        };
        Ok(Stream {
            done: 0,
            end,
            step: self.step,
            progress: CString::default(),
        })
    }

    fn event_to_string(&mut self, event: &EventInput<Self::Event<'_>>) -> Result<CString, Error> {
        let event = event.event()?;
        let value = number(event.params.event_data)?;
        Ok(CString::new(format!("counted to {value}"))?)
    }
}

impl SourcePluginInstance for Stream {
    type Plugin = Counter;

    fn next_batch(&mut self, _plugin: &mut Counter, batch: &mut EventBatch) -> Result<(), Error> {
        if self.done == self.end {
            return Err(anyhow!("no more events").context(FailureReason::Eof));
        }
        let stop = self.end.min(self.done + BATCH);
        while self.done < stop {
            let text = (self.done * self.step).to_string();
            batch.add(Self::plugin_event(text.as_bytes()))?;
            self.done += 1;
        }
        Ok(())
    }

    fn get_progress(&mut self) -> ProgressInfo<'_> {
        self.progress = CString::new(format!("{} of {} events", self.done, self.end))
            .unwrap_or_default();
        ProgressInfo {
            value: 100.0 * self.done as f64 / self.end.max(1) as f64,
            detail: Some(&self.progress),
        }
    }
}

impl Counter {
    fn extract_value(&mut self, req: ExtractRequest<Self>) -> Result<u64, Error> {
        number(req.event.event()?.params.event_data)
    }

    fn extract_text(&mut self, req: ExtractRequest<Self>) -> Result<CString, Error> {
        Ok(CString::new(req.event.event()?.params.event_data)?)
    }

    fn extract_even(&mut self, req: ExtractRequest<Self>) -> Result<bool, Error> {
        Ok(number(req.event.event()?.params.event_data)? % 2 == 0)
    }

    fn extract_divisible(&mut self, req: ExtractRequest<Self>, by: u64) -> Result<u64, Error> {
        let value = number(req.event.event()?.params.event_data)?;
        if by == 0 {
            bail!("nothing is divisible by 0");
        }
        Ok(u64::from(value % by == 0))
    }
}

impl ExtractPlugin for Counter {
    type Event<'a> = Event<PluginEvent<&'a [u8]>>;
    type ExtractContext = ();

    const EXTRACT_FIELDS: &'static [ExtractFieldInfo<Self>] = &[
        field("hello_rs.value", &Self::extract_value).with_description("The number counted to"),
        field("hello_rs.text", &Self::extract_text).with_description("The number as text"),
        field("hello_rs.even", &Self::extract_even).with_description("True for even numbers"),
        field("hello_rs.divisible", &Self::extract_divisible)
            .with_description("1 if the number is divisible by the argument, else 0"),
    ];
}

plugin!(Counter);
source_plugin!(Counter);
extract_plugin!(Counter);
