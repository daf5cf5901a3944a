// What comes after the first paint: the Rules and Plugin places, breakdowns, exceptions,
// help.
import { makeBreakdown } from "./breakdown.js";
import { makeException } from "./exception.js";
import { openHelp } from "./help.js";
import { makePlugin } from "./plugin.js";
import { makeRules } from "./rules.js";

export default { makeBreakdown, makeException, makePlugin, makeRules, openHelp };
