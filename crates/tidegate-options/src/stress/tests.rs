use super::*;

#[test]
fn volatility_moves_more_for_what_expires_sooner() {
    let grid = Grid::new(&Stress::STANDARD);
    let near = |is: f64, should: f64| assert!((is - should).abs() < 1e-9, "{is} is not {should}");
    near(0.65 * grid.shocks(30.0).up, 0.91);
    near(0.65 * grid.shocks(7.0).up, 1.052_328_05);
    near(0.65 * grid.shocks(90.0).up, 0.875_396_716_4);
    near(0.65 * grid.shocks(7.0).down, 0.428_719_572_5);
    near(grid.shocks(0.1).up, grid.shocks(1.0).up);
}

#[test]
fn moves_beyond_count_in_part() {
    let grid = Grid::new(&Stress::STANDARD);
    let rows = grid.rows();
    assert_eq!(rows.len(), ROWS);
    let farthest = rows.iter().max_by(|a, b| a.price.total_cmp(&b.price)).unwrap();
    assert!((farthest.price - 5.0).abs() < 1e-12 && (farthest.weight - 0.032).abs() < 1e-12);
    assert!(rows.iter().any(|row| (row.price + 0.16).abs() < 1e-12 && row.vol == Vol::Down));
    let wide = Grid::new(&Stress { range_bps: 6000, ..Stress::STANDARD });
    assert!(wide.rows().iter().all(|row| row.weight <= 1.0 && row.price > -1.0));
}
