import { render } from "preact";
import { App } from "./app";
import { awaitReturn, openSession } from "./session";
import { followTheme } from "./theme";
import "./fonts.css";
import "./style.css";

followTheme();
render(<App />, document.getElementById("studio")!);
awaitReturn();
void openSession();
