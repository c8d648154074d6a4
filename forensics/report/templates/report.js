"use strict";
(function () {
  function key(row, n) {
    var cell = row.cells[n];
    return cell ? cell.getAttribute("data-k") || cell.textContent.trim() : "";
  }
  var numbers = /^[+\-−]?[\d,.]+$/;
  document.querySelectorAll("table[data-sort]").forEach(function (table) {
    var body = table.tBodies[0], rows = Array.prototype.slice.call(body.rows);
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, n) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        Array.prototype.forEach.call(table.tHead.rows[0].cells, function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var keyed = rows.map(function (row, at) {
          var text = key(row, n), plain = text.replace(/,/g, "");
          return { row: row, at: at, text: text, number: numbers.test(text) ? parseFloat(plain.replace("−", "-")) : null };
        });
        keyed.sort(function (a, b) {
          var order = a.number !== null && b.number !== null ? a.number - b.number : a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
          return (down ? -order : order) || a.at - b.at;
        });
        var all = document.createDocumentFragment();
        keyed.forEach(function (entry) { all.appendChild(entry.row); });
        body.appendChild(all);
      });
    });
    if (rows.length < 8) return;
    var box = document.createElement("div"), label = document.createElement("label"), input = document.createElement("input"), shown = document.createElement("output");
    box.className = "filter";
    label.textContent = table.getAttribute("data-filter");
    input.type = "search";
    input.id = table.id + "-filter";
    label.htmlFor = input.id;
    var texts = null, timer = 0;
    function apply() {
      texts = texts || rows.map(function (row) { return row.textContent.toLowerCase(); });
      var words = input.value.toLowerCase().split(/\s+/), count = 0;
      rows.forEach(function (row, n) {
        var keep = words.every(function (word) { return texts[n].indexOf(word) >= 0; });
        row.hidden = !keep;
        if (keep) count++;
      });
      shown.textContent = table.getAttribute("data-shown").replace("{shown}", count).replace("{total}", rows.length);
    }
    input.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(apply, 60); });
    box.append(label, input, shown);
    table.closest(".scroll").before(box);
  });
  // A box that is not on the screen is not measured: that would lay it out.
  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting) return;
      var box = entry.target;
      var far = box.scrollWidth > box.clientWidth;
      box.classList.toggle("far", far);
      if (far) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    });
  });
  function reachable() {
    document.querySelectorAll(".scroll,figure").forEach(function (box) { seen.unobserve(box); seen.observe(box); });
  }
  reachable();
  addEventListener("resize", reachable);
  var closed = [];
  addEventListener("beforeprint", function () {
    closed = Array.prototype.filter.call(document.querySelectorAll("details"), function (d) { return !d.open; });
    closed.forEach(function (d) { d.open = true; });
  });
  addEventListener("afterprint", function () { closed.forEach(function (d) { d.open = false; }); });
  function opened() {
    var target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView(); }
  }
  addEventListener("hashchange", opened);
  opened();
})();
