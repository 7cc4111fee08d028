// Names and keys that the theme leaves out: its search has no name, and wide tables cannot be scrolled with the keyboard.
document.querySelectorAll(".md-search[role=dialog]").forEach((search) => search.setAttribute("aria-label", "Search"));
document.querySelectorAll(".md-typeset__scrollwrap").forEach((wide) => wide.setAttribute("tabindex", "0"));
new MutationObserver(() => document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])").forEach((wide) => wide.setAttribute("tabindex", "0")))
  .observe(document.body, { childList: true, subtree: true });
