mod accounts;
mod flow;
mod gates;
mod halts;
mod model;
mod speed;
mod venue;
mod world;
