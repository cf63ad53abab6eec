// Goes on at once; the page was only there to end a run of redirects. The link does the same by hand.
location.replace(document.getElementById("go").href);
