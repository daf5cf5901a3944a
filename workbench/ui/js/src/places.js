// The Rules and Plugin places: a module of their own, fetched when one is opened.
import { makePlugin } from "./plugin.js";
import { makeRules } from "./rules.js";

export default { makePlugin, makeRules };
