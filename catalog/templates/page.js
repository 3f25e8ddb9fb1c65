(function () {
  var root = document.documentElement, bar = document.querySelector(".languages");
  function show(language) {
    root.dataset.show = language;
    bar.querySelectorAll("button").forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.dataset.language === language));
    });
  }
  if (document.querySelector("main [lang=zh]")) {
    bar.hidden = false;
    var kept = null;
    try { kept = localStorage.getItem("glacier-language"); } catch (error) { kept = null; }
    show(kept || (/^zh/.test(navigator.language || "") ? "zh" : "en"));
    bar.addEventListener("click", function (event) {
      var language = event.target.dataset.language;
      if (!language) { return; }
      show(language);
      try { localStorage.setItem("glacier-language", language); } catch (error) { return; }
    });
  }
  document.querySelectorAll("button[data-copy]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var text = document.getElementById(button.dataset.copy).innerText.trim();
      function done() { button.dataset.done = "true"; setTimeout(function () { delete button.dataset.done; }, 1600); }
      function byHand() {
        var area = document.createElement("textarea");
        area.value = text; document.body.append(area); area.select();
        if (document.execCommand("copy")) { done(); }
        area.remove();
      }
      if (navigator.clipboard) { navigator.clipboard.writeText(text).then(done, byHand); } else { byHand(); }
    });
  });
})();
