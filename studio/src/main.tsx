import { render } from "preact";
import { App } from "./app";
import { openSession } from "./session";
import { followTheme } from "./theme";
import "./style.css";

followTheme();
render(<App />, document.getElementById("studio")!);
void openSession();
