// Tells the window that waits for it that its person has confirmed who they are, and closes this one.

new BroadcastChannel("farview.confirmed").postMessage("confirmed");
window.close();
