/** As `ref` of a button that takes the place of the one that was pressed, so that the keyboard stays where it was. */
export function takeFocus(button: HTMLButtonElement | null): void {
  button?.focus();
}
